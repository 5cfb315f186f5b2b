// What an engine makes of one signal: the SHA-256 of every output, by model, core and rate. In: the built SDK, samples, compiled
// cores by name, a hash. Plain JavaScript, so that engines of any age and kind load it as it stands.

const RATES = [16000, 44100, 48000]
/** Odd, and longer and shorter than a hop. */
const CHUNKS = [77, 1000, 1, 333]

export async function fingerprint({ Denoiser, MODELS }, samples, cores, hash) {
  const prints = {}
  for (const [core, wasm] of Object.entries(cores)) {
    for (const model of Object.keys(MODELS)) {
      const rates = model !== 'nano' && core === 'simd' ? RATES : [undefined]
      for (const sampleRate of rates) {
        const denoiser = await Denoiser.create({ model, wasm, sampleRate })
        prints[`${model}, ${core}${sampleRate ? `, ${sampleRate} Hz` : ''}`] = await hash(run(denoiser, samples))
        denoiser.dispose()
      }
    }
  }
  return prints
}

function run(denoiser, samples) {
  const parts = []
  for (let at = 0, i = 0; at < samples.length; i++) {
    const length = CHUNKS[i % CHUNKS.length]
    parts.push(denoiser.process(samples.subarray(at, at + length)))
    at += length
  }
  parts.push(denoiser.flush())
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return new Uint8Array(out.buffer)
}
