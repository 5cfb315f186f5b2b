// What may be asked of a denoiser. In: what users write. Out: nothing; preparation.ts checks it and makes of it what a denoiser needs.

import type { WasmSource } from './cores.ts'
import type { GovernorOptions } from './governor.ts'
import type { HighBandMode } from './highBand.ts'
import type { ModelSource } from './model.ts'
import type { Preset } from './preset.ts'
import type { ProbeOptions } from './probe.ts'
import type { Profile } from './profile.ts'
import type { FilterPhase } from './resampling.ts'

/** Of `Denoiser.create`. */
export interface DenoiserOptions {
  /** A shipped model's name, a URL, a path (Node), the bytes of a model file, or what `loadModel` gave. Default: models.ts. */
  readonly model?: ModelSource
  /**
   * Instead of `model`: `auto` measures this device for 300 ms, once a week, and takes the best model that leaves half of a core
   * free and is at most 40 ms late, with a governor where that may get tight; limits of your own, or a profile that `probe` gave,
   * do the same. A `model` or `governor` given beside it wins.
   */
  readonly profile?: 'auto' | ProbeOptions | Profile
  /** The SHA-256 the model must have, hexadecimal: MODEL_HASH if it is another. Damage is noticed without it too. */
  readonly sha256?: string
  /**
   * Samples per second of what goes in, a whole number of 4000..192000; resampled where it is not the model's. Default: the
   * model's.
   */
  readonly sampleRate?: number
  /** Of what comes out. Default: `sampleRate`; of a model that widens the band (nano): its own. */
  readonly outputRate?: number
  /** 1..8, side by side; each denoised by itself, or `linked`. Default 1. */
  readonly channels?: number
  /**
   * The channels are denoised alike: the network hears their mean, and all get the filter that it made, so that what lies
   * between them in level and phase (the stereo image) stays. Takes a hop longer (`latency`), and less arithmetic than
   * channels apart. What cancels in the mean altogether is not heard. Default: false.
   */
  readonly linked?: boolean
  /**
   * What becomes of the band above half of the model's rate, which the network cannot hear. `follow`: attenuated as the
   * network attenuates the upper part of its own band. `pass`: left as it was. `drop`: left out; nothing else goes
   * with a model that widens the band (nano). Costs no latency. Default: `follow` where what comes out has the rate of what goes
   * in, above the model's; else there is none to keep.
   */
  readonly highBand?: HighBandMode
  /**
   * Of the filters between the rates. `linear` (default): all frequencies are as late. `minimum`: earlier by about 3 ms of
   * `latency`, while the last kilohertz below the band's edge come later than the rest; only with `highBand: 'drop'`, which
   * is the default then.
   */
  readonly phase?: FilterPhase
  /**
   * dB by which the network hears the input louder, 0..60, to the nearest doubling (6.02 dB); taken back after it, to the
   * bit, so that the output keeps its level. For microphones and files that are quiet: the networks do best with peaks
   * between -20 and 0 dBFS, and hq fails 40 dB below. Default: 0.
   */
  readonly inputGainDb?: number
  /** Strength and comfort noise by purpose: `full` (default), `gentle` for speech recognition, `natural` for calls. */
  readonly preset?: Preset
  /** Bound on attenuation in dB: -Infinity all that the model does, -18 gentle, 0 bypass at the same latency. Default: the preset's. */
  readonly strengthDb?: number
  /** Level in dBFS below which pauses are filled with soft noise: -Infinity never, -66 natural, at most -30. Default: the preset's. */
  readonly comfortNoiseDb?: number
  /**
   * Called for every hop of every channel: how much voice (0..1) it holds. Inside `process`, so keep it short; calls of the
   * denoiser itself belong after it. An error it throws is reported as uncaught, like an event listener's, and the stream
   * goes on.
   */
  readonly onVoice?: (voiceActivity: number, channel: number) => void
  /** Keeps the latency on a device that is too slow at times: steps down to lighter models, then to the delayed input. */
  readonly governor?: LadderOptions
  /**
   * Keeps the input of the last seconds (that many to twice as many; 1..600), for `recording`. Memory: 8 bytes per sample.
   * Not together with a governor, whose choices depend on the clock.
   */
  readonly recordSeconds?: number
  /** The core: a compiled module, bytes, a URL or path; shared by all who pass the same. Default: this package's. */
  readonly wasm?: WasmSource
  /** Ends the creation: it rejects with the signal's reason. A denoiser once created is not affected. */
  readonly signal?: AbortSignal
  /** Bytes of the model so far, and in all where that is known. Downloads report; files, bytes and shipped models in Node do not. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number | undefined) => void
  /** Milliseconds, for `stats` and the governor. Default: the host's. */
  readonly now?: () => number
}

/** What a denoiser falls back to on a device that is too slow. */
export interface LadderOptions extends GovernorOptions {
  /**
   * Lighter models, the best first, with the rates and hop of the model and no more latency; [] steps straight to the delayed
   * input. Default: `lite`, where it fits. Each stream holds a state for each.
   */
  readonly ladder?: readonly ModelSource[]
  /** Called at the end of the call in which the rung changed: `dry` is the delayed input. Its errors as `onVoice`'s. */
  readonly onRung?: (name: string, rung: number) => void
}

/** What may differ between streams that share a model. */
export type SiblingOptions = Pick<
  DenoiserOptions,
  'channels' | 'linked' | 'preset' | 'strengthDb' | 'comfortNoiseDb' | 'onVoice'
>
