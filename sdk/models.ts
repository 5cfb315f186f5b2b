// The models that ship. A name here is what `Denoiser.create({ model })` and `--model` take; the file lies in models/.

export interface ShippedModel {
  readonly file: string
  /** One line: what it is for. Figures stand in its card (`attenuate inspect`). */
  readonly description: string
}

export const MODELS = {
  lite: {
    file: 'lite.ssm',
    description: '16 ms, small: an interim network from the training prototype, a weak denoiser',
  },
} as const satisfies Record<string, ShippedModel>

export type ModelName = keyof typeof MODELS

export const DEFAULT_MODEL: ModelName = 'lite'

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(MODELS, name)
}
