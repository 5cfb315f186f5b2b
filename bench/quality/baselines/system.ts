// What every compared denoiser looks like to the evaluator: 16 kHz mono in, 16 kHz mono out, same length,
// aligned with the input (the adapter removes its own latency), fresh state per clip.

export interface System {
  name: string
  enhance(noisy: Float32Array): Promise<Float32Array>
  /** Many clips at once, where that is cheaper than one by one. */
  enhanceAll?(inputs: readonly Float32Array[]): Promise<Float32Array[]>
}

export const enhanceAll = async (system: System, inputs: readonly Float32Array[]): Promise<Float32Array[]> => {
  if (system.enhanceAll) return system.enhanceAll(inputs)
  const outputs: Float32Array[] = []
  for (const input of inputs) outputs.push(await system.enhance(input))
  return outputs
}

/** Why a system cannot run here, or the system. Absent packages are normal: the table then has no such row. */
export type Opening = { system: System } | { absent: string }
