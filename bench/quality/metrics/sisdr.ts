// Scale-invariant signal-to-distortion ratio in dB: (clean, enhanced), both (samples), aligned -> number.
// Le Roux, Wisdom, Erdogan, Hershey, "SDR - half-baked or well done?", ICASSP 2019, eq. 5; means removed first.

const EPS = 1e-12

const mean = (x: Float32Array): number => x.reduce((a, b) => a + b, 0) / x.length

export const measureSiSdr = (clean: Float32Array, enhanced: Float32Array): number => {
  if (clean.length !== enhanced.length)
    throw new Error(`LENGTH_MISMATCH: clean ${clean.length}, enhanced ${enhanced.length}; align and cut them first`)
  const [cleanMean, enhancedMean] = [mean(clean), mean(enhanced)]
  let cross = 0
  let cleanEnergy = 0
  for (let i = 0; i < clean.length; i++) {
    const c = clean[i] - cleanMean
    cross += c * (enhanced[i] - enhancedMean)
    cleanEnergy += c * c
  }
  const scale = cross / (cleanEnergy + EPS)
  let errorEnergy = 0
  for (let i = 0; i < clean.length; i++)
    errorEnergy += (enhanced[i] - enhancedMean - scale * (clean[i] - cleanMean)) ** 2
  return 10 * Math.log10((scale * scale * cleanEnergy) / (errorEnergy + EPS) + EPS)
}
