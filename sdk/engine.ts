// What makes hops: one network, or a ladder of them. In: a hop of samples at `input()`. Out: a hop at `output()`, a fixed
// number of samples late. The views are valid until the next run and may be replaced when memory grows.

import type { Stateful } from './snapshot.ts'

export interface Engine extends Stateful {
  /** (inputHop) where the next hop's samples go. The views may be replaced whenever memory grew. */
  input(): Float32Array
  /** (outputHop) the last result. */
  output(): Float32Array
  /** One hop; `isLost`: its input never came. */
  run(isLost?: boolean): void
  /** So much (0..1) of the coming hop; `run` does the rest. Only where nothing else uses the same scratch meanwhile. */
  proceed(share: number): void
  /** The stream has ended with the hops run so far. */
  end(): void
  /** A new stream. */
  reset(): void
  /** A new stream that begins as if long settled (settled.ts). */
  settle(): void
  /** `hops` hops of lost input, unheard. */
  advance(hops: number): void
  dispose(): void
}
