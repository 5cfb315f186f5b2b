// Room in the core's linear memory beyond its own data. In: sizes in bytes. Out: 64-byte aligned addresses. A sorted free
// list, first fit, neighbours merged: streams come and go in any order, and what they leave is used again.

export const ALIGNMENT = 64

interface Gap {
  address: number
  bytes: number
}

export class Arena {
  /** Makes the memory at least so many bytes long; throws if it cannot. */
  readonly #grow: (endBytes: number) => void
  readonly #gaps: Gap[] = []
  #end: number
  /** In use, alignment included. */
  usedBytes = 0

  constructor(base: number, grow: (endBytes: number) => void) {
    this.#grow = grow
    this.#end = align(base)
  }

  /** First byte that was never handed out. */
  get end(): number {
    return this.#end
  }

  allocate(bytes: number): number {
    const wanted = align(bytes)
    const address = this.#take(wanted)
    this.usedBytes += wanted
    return address
  }

  #take(wanted: number): number {
    const found = this.#gaps.findIndex((gap) => gap.bytes >= wanted)
    if (found < 0) return this.#append(wanted)
    const gap = this.#gaps[found]
    const address = gap.address
    gap.address += wanted
    gap.bytes -= wanted
    if (gap.bytes === 0) this.#gaps.splice(found, 1)
    return address
  }

  /** `bytes` as given to `allocate`. */
  release(address: number, bytes: number): void {
    const gap = { address, bytes: align(bytes) }
    this.usedBytes -= gap.bytes
    const after = this.#gaps.findIndex((other) => other.address > address)
    const at = after < 0 ? this.#gaps.length : after
    this.#gaps.splice(at, 0, gap)
    this.#merge(at)
    this.#merge(at - 1)
    this.#shrink()
  }

  #append(bytes: number): number {
    const address = this.#end
    this.#grow(address + bytes)
    this.#end = address + bytes
    return address
  }

  /** Joins gap `i` with the next one where they touch. */
  #merge(i: number): void {
    const gap = this.#gaps[i]
    const next = this.#gaps[i + 1]
    if (gap === undefined || next === undefined || gap.address + gap.bytes !== next.address) return
    gap.bytes += next.bytes
    this.#gaps.splice(i + 1, 1)
  }

  #shrink(): void {
    const last = this.#gaps.at(-1)
    if (last === undefined || last.address + last.bytes !== this.#end) return
    this.#end = last.address
    this.#gaps.pop()
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
