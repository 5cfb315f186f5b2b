// The models that ship. A name here is what `Denoiser.create({ model })` and `--model` take; the file lies in models/.

export interface ShippedModel {
  readonly file: string
  /** One line: what it is for. Figures stand in its card (`attenuate inspect`). */
  readonly description: string
}

export const MODELS = {
  base: { file: 'base.ssm', description: '16 ms: for live audio, the default' },
  lite: { file: 'lite.ssm', description: '16 ms, a quarter of the arithmetic of base' },
  hq: { file: 'hq.ssm', description: '48 ms: for files, where latency is free' },
  nano: { file: 'nano.ssm', description: '32 ms: from a 4 kHz / 4-bit sensor to 16 kHz' },
} as const satisfies Record<string, ShippedModel>

export type ModelName = keyof typeof MODELS

export const DEFAULT_MODEL: ModelName = 'base'

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(MODELS, name)
}
