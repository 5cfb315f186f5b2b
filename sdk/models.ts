// The models that ship. A name here is what `Denoiser.create({ model })` and `--model` take; `npm run build` makes the
// files in models/, the package has them in dist/models/.

/** One of `MODELS`. */
export interface ShippedModel {
  /** What it is imported by: `attenuate-edge/models/<file>`. */
  readonly file: string
  /** Delivered, at its own rate: known before the file is there. */
  readonly latencyMs: number
  /** One line: what it is for. Figures stand in its card (`attenuate inspect`). */
  readonly description: string
}

/** The shipped models by name, in files of this package. */
export const MODELS: Readonly<Record<'base' | 'lite' | 'hq' | 'nano', ShippedModel>> = {
  base: { file: 'base.ssm', latencyMs: 16, description: '16 ms: for live audio, the default' },
  lite: { file: 'lite.ssm', latencyMs: 16, description: '16 ms, a fifth of the arithmetic of base' },
  hq: { file: 'hq.ssm', latencyMs: 48, description: '48 ms: for files, where latency is free' },
  nano: { file: 'nano.ssm', latencyMs: 32, description: '32 ms: from a 4 kHz / 4-bit sensor to 16 kHz' },
}

/** A shipped model: `base`, `lite`, `hq` or `nano`. */
export type ModelName = keyof typeof MODELS

/** What `Denoiser.create()` takes when nothing is said. */
export const DEFAULT_MODEL: ModelName = 'base'

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(MODELS, name)
}
