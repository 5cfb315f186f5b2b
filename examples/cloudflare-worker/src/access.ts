// Who may come in. In: a request and the secret, if there is one. Out: nothing, or a 401. The token travels in a header
// (`Authorization: Bearer TOKEN`), or, as browsers cannot set headers of a WebSocket, as a second sub-protocol
// (`bearer.TOKEN`); never in the address, which logs keep.

import { Problem } from './problem.ts'

export function admit(request: Request, token: string | undefined): void {
  if (token === undefined || token === '') return
  const given = tokenOf(request)
  if (given === undefined)
    throw new Problem(401, 'no token; send the header `Authorization: Bearer TOKEN`', { 'www-authenticate': 'Bearer' })
  if (!isEqual(given, token))
    throw new Problem(401, 'wrong token; ask whoever runs this Worker', { 'www-authenticate': 'Bearer' })
}

function tokenOf(request: Request): string | undefined {
  const header = request.headers.get('authorization')?.match(/^Bearer (.+)$/i)?.[1]
  return (
    header ??
    protocolsOf(request)
      .find((name) => name.startsWith('bearer.'))
      ?.slice(7)
  )
}

export function protocolsOf(request: Request): string[] {
  return (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
}

/** In a time that does not depend on where they differ. */
function isEqual(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => new TextEncoder().encode(text))
  const isSameLength = x.length === y.length
  return crypto.subtle.timingSafeEqual(x, isSameLength ? y : x) && isSameLength
}
