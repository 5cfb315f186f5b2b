// What counts as a sample. In: any f32 that callers, files and devices may give. Out: the same, or silence in its place where it
// is none. One rule for all that takes samples, so that streams, pools, sensors and levels hear the same.

/** 96 dB above full scale: integers of 16 bits that were never brought to -1..1 are samples still. */
export const LARGEST = 65536

/** A number, and its square far from overflow: what is neither would stay in a state for ever. */
export function isUsable(sample: number): boolean {
  return Math.abs(sample) <= LARGEST
}

/** Itself, or 0: held at the largest instead it would come out as a burst far above full scale. */
export function usable(sample: number): number {
  return isUsable(sample) ? sample : 0
}
