// Offline rational resampling: Float32Array at `from` Hz -> Float32Array at `to` Hz, zero phase (no delay).
// Polyphase FIR with a Kaiser-windowed sinc (Kaiser 1974; Oppenheim & Schafer, sec. 7.6). For measuring, not for streaming.

export interface LowpassDesign {
  attenuationDb: number // stopband
  rolloff: number // transition width as a share of the cutoff
  passbandEdge: number // cutoff as a share of the lower Nyquist frequency
}

/** Flat to 0.93 of the lower Nyquist, 100 dB down at Nyquist: the resampler must not show in a score. */
export const TRANSPARENT: LowpassDesign = { attenuationDb: 100, rolloff: 0.07, passbandEdge: 0.965 }

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Modified Bessel function I0 by its power series; converges for every argument used here (< 20). */
const besselI0 = (x: number): number => {
  let sum = 1
  let term = 1
  for (let k = 1; term > 1e-18 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

/** Symmetric low-pass, unit gain at DC; cutoff in cycles per sample. -> 2 * half + 1 taps */
export const designLowpass = (cutoff: number, half: number, attenuationDb: number): Float64Array => {
  const beta = 0.1102 * (attenuationDb - 8.7)
  const taps = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const t = i - half
    const sinc = t === 0 ? 1 : Math.sin(2 * Math.PI * cutoff * t) / (2 * Math.PI * cutoff * t)
    return (sinc * besselI0(beta * Math.sqrt(Math.max(0, 1 - (t / half) ** 2)))) / besselI0(beta)
  })
  const sum = taps.reduce((a, b) => a + b, 0)
  return taps.map((h) => h / sum)
}

/** y[m] = up * sum_k taps[half + m down - k up] x[k], m < ceil(x.length up / down). */
export const filterPolyphase = (x: ArrayLike<number>, taps: Float64Array, up: number, down: number): Float64Array => {
  const half = (taps.length - 1) / 2
  const y = new Float64Array(Math.ceil((x.length * up) / down))
  for (let m = 0; m < y.length; m++) {
    const at = m * down
    const first = Math.max(0, Math.ceil((at - half) / up))
    const last = Math.min(x.length - 1, Math.floor((at + half) / up))
    let sum = 0
    for (let k = first; k <= last; k++) sum += taps[half + at - k * up] * x[k]
    y[m] = up * sum
  }
  return y
}

export const resample = (
  x: Float32Array,
  from: number,
  to: number,
  design: LowpassDesign = TRANSPARENT,
): Float32Array => {
  if (from === to) return x
  const divisor = gcd(from, to)
  const [up, down] = [to / divisor, from / divisor]
  const cutoff = design.passbandEdge / (2 * Math.max(up, down))
  const half = Math.ceil((design.attenuationDb - 8) / (28.714 * cutoff * design.rolloff))
  return Float32Array.from(filterPolyphase(x, designLowpass(cutoff, half, design.attenuationDb), up, down))
}
