// What every entry of `attenuate-edge/webgpu` exports besides its own `DenoiserPool`.

export type { ModelSource } from '../model.ts'
export type { BackendName } from './backend.ts'
export type { Choice, Timing } from './choice.ts'
export type { PoolOptions } from './creation.ts'
export type { Fallback, PoolReport } from './pool.ts'
export type { PoolStream } from './stream.ts'
