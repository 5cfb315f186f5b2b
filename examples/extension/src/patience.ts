// Waiting, but not for ever. In: what is wanted, what to say if it does not come. Out: it, or an error.

const PATIENCE_MS = 4000

export function inTime<T>(wanted: Promise<T>, complaint: string): Promise<T> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(complaint)), PATIENCE_MS))
  return Promise.race([wanted, late])
}
