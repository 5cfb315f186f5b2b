// RIFF/WAVE: bytes <-> mono Float32Array in [-1, 1). Reads PCM 16/24/32 bit and 32-bit float (channel 0),
// writes PCM 16 or 32-bit float. Format: Microsoft Multimedia Programming Interface 1.0 (1991).

export interface Audio {
  samples: Float32Array
  sampleRate: number // Hz
}

const FLOAT = 3
const EXTENSIBLE = 0xfffe

const sampleReader = (view: DataView, format: number, bits: number): ((at: number) => number) => {
  if (format === FLOAT && bits === 32) return (at) => view.getFloat32(at, true)
  if (format === 1 && bits === 16) return (at) => view.getInt16(at, true) / 2 ** 15
  if (format === 1 && bits === 24) return (at) => (view.getUint8(at) | (view.getInt16(at + 1, true) << 8)) / 2 ** 23
  if (format === 1 && bits === 32) return (at) => view.getInt32(at, true) / 2 ** 31
  throw new Error(`WAV_FORMAT: format ${format} with ${bits} bits; use PCM 16/24/32 or float 32`)
}

export const readWav = (bytes: Uint8Array): Audio => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunkId = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 12 || chunkId(0) !== 'RIFF' || chunkId(8) !== 'WAVE')
    throw new Error('WAV_HEADER: not a RIFF/WAVE file; convert it to WAV first')
  let format = 0
  let channels = 1
  let sampleRate = 0
  let bits = 16
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    const body = at + 8
    if (chunkId(at) === 'fmt ') {
      format = view.getUint16(body, true)
      channels = view.getUint16(body + 2, true)
      sampleRate = view.getUint32(body + 4, true)
      bits = view.getUint16(body + 14, true)
      if (format === EXTENSIBLE) format = view.getUint16(body + 24, true) // first bytes of the sub-format GUID
    } else if (chunkId(at) === 'data') {
      const stride = (bits / 8) * channels
      const read = sampleReader(view, format, bits)
      // A streamed file may carry a size that is too large: the bytes present decide.
      const count = Math.floor(Math.min(size, bytes.length - body) / stride)
      return { samples: Float32Array.from({ length: count }, (_, i) => read(body + i * stride)), sampleRate }
    }
    at = body + size + (size & 1)
  }
  throw new Error('WAV_DATA: no data chunk; the file is cut short')
}

const header = (dataBytes: number, sampleRate: number, format: number, bits: number): DataView => {
  const view = new DataView(new ArrayBuffer(44 + dataBytes))
  const text = (at: number, s: string) => {
    for (let i = 0; i < s.length; i++) view.setUint8(at + i, s.charCodeAt(i))
  }
  text(0, 'RIFF')
  view.setUint32(4, 36 + dataBytes, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, format, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, (sampleRate * bits) / 8, true)
  view.setUint16(32, bits / 8, true)
  view.setUint16(34, bits, true)
  text(36, 'data')
  view.setUint32(40, dataBytes, true)
  return view
}

/** PCM 16; values outside [-1, 1) saturate. */
export const writeWav16 = ({ samples, sampleRate }: Audio): Uint8Array => {
  const view = header(samples.length * 2, sampleRate, 1, 16)
  for (const [i, x] of samples.entries())
    view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(x * 32768))), true)
  return new Uint8Array(view.buffer)
}

export const writeWavFloat = ({ samples, sampleRate }: Audio): Uint8Array => {
  const view = header(samples.length * 4, sampleRate, FLOAT, 32)
  for (const [i, x] of samples.entries()) view.setFloat32(44 + 4 * i, x, true)
  return new Uint8Array(view.buffer)
}
