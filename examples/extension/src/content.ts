// In the extension's world of every document: waits until a page opens a microphone, and only then loads what cleans it. In:
// the page's ASK. Out: an ANSWER, in every case.

import { ANSWER, ASK, CLOSE } from './protocol.ts'

document.addEventListener(ASK, (event) => {
  const request = (event as MouseEvent).relatedTarget
  // after an update of the extension this script is an orphan: the page keeps its microphone
  if (!(request instanceof MediaStream) || chrome.runtime?.id === undefined) return
  event.preventDefault()
  const closed = new AbortController()
  request.addEventListener(CLOSE, () => closed.abort(new Error('the clean one was not ready in time')), { once: true })
  answer(request, closed.signal)
})

/** `closed`: the page has stopped what it was given, or has given up waiting. */
async function answer(request: MediaStream, closed: AbortSignal): Promise<void> {
  let track: MediaStreamTrack | undefined
  try {
    const engine: typeof import('./engine.ts') = await import(chrome.runtime.getURL('engine.js'))
    track = await engine.clean(request.getAudioTracks()[0], closed)
  } catch (error) {
    console.warn('attenuate-edge: the plain microphone,', error)
  }
  const relatedTarget = track === undefined ? null : new MediaStream([track])
  request.dispatchEvent(new MouseEvent(ANSWER, { relatedTarget }))
}
