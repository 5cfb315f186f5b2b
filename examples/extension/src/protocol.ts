// How the two worlds of one document speak: by events on objects of the DOM, which both see, as scripts of one world cannot
// touch the other's. Page: ASK on the document with a MediaStream of one microphone as `relatedTarget`; extension: ANSWER on
// that stream with the stream of its clean track, or with nothing. Page: CLOSE on it when the last copy has been stopped.

/// <reference types="chrome" />

import type { RouteName } from 'attenuate-edge/worklet'

export const ASK = 'attenuate:ask'
export const ANSWER = 'attenuate:answer'
export const CLOSE = 'attenuate:close'

/** What a frame with microphones tells the popup, some times a second. */
export interface Report {
  /** Of the frame. */
  readonly id: string
  readonly microphones: readonly MicrophoneReport[]
  /** Why a page of this frame has its plain microphone. */
  readonly trouble: string | undefined
}

/** The SDK's routes (`worklet`: the page's audio thread); `frame`: a frame of the extension, where the page forbids WASM. */
export type Way = RouteName | 'frame'

export interface MicrophoneReport {
  readonly label: string
  readonly way: Way
  readonly latencyMs: number
  /** RMS of the last half second, dBFS. */
  readonly beforeDb: number
  readonly afterDb: number
  /** Moments since the microphone was opened at which clean sound was not there in time. */
  readonly gaps: number
}

/** For the badge. */
export interface State {
  readonly microphones: number
  readonly trouble: string | undefined
}

/** Name of the popup's port to the frames of a tab. */
export const METER = 'meter'
