// A refusal: what was wrong, the value, the remedy. In: thrown anywhere while a request is looked at. Out: a 4xx with one line
// of JSON; what is nobody's fault but ours stays a 500 that says nothing of the inside.

import { AttenuateError, type ErrorCode } from 'attenuate-edge'

export class Problem extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Errors of the SDK that are the caller's. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  OPTION_INVALID: 400,
  AUDIO_INVALID: 400,
  PACKET_INVALID: 400,
  FORMAT_UNSUPPORTED: 415,
  RATE_UNSUPPORTED: 422,
  CHANNELS_UNSUPPORTED: 422,
  STATE_INVALID: 422,
}

export function statusOf(error: unknown): number {
  if (error instanceof Problem) return error.status
  return (error instanceof AttenuateError && STATUS[error.code]) || 500
}

export function toResponse(error: unknown): Response {
  const status = statusOf(error)
  if (status === 500) console.error(error)
  const message = status === 500 ? 'internal error; try again' : (error as Error).message
  return Response.json({ error: message }, { status, headers: error instanceof Problem ? error.headers : {} })
}
