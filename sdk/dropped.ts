// Room in the core's memory whose owner was dropped without `dispose`. Some hosts end objects without a word (Durable Objects
// that hibernate, requests whose client has gone), and the core they share lives on. In: an owner, and how to free what
// it took. Out: freed once, by hand or after the owner was collected (by hand only where a host does not say when).

const dropped =
  typeof FinalizationRegistry === 'undefined' ? undefined : new FinalizationRegistry<() => void>((free) => free())

/** Returns what frees it now. `free` must not lead to `owner`, which then would never be collected. */
export function freeWith(owner: object, free: () => void): () => void {
  dropped?.register(owner, free, owner)
  return () => {
    dropped?.unregister(owner)
    free()
  }
}
