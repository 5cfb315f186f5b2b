// In the extension's world of every document: waits until a page opens a microphone, and only then loads what cleans it. In:
// the page's ASK. Out: an ANSWER, in every case.

import { ANSWER, ASK } from './protocol.ts'

document.addEventListener(ASK, (event) => {
  const request = (event as MouseEvent).relatedTarget
  // after an update of the extension this script is an orphan: the page keeps its microphone
  if (!(request instanceof MediaStream) || chrome.runtime?.id === undefined) return
  event.preventDefault()
  answer(request)
})

async function answer(request: MediaStream): Promise<void> {
  let track: MediaStreamTrack | undefined
  try {
    const engine: typeof import('./engine.ts') = await import(chrome.runtime.getURL('engine.js'))
    track = await engine.clean(request)
  } catch (error) {
    console.warn('attenuate-edge: the plain microphone,', error)
  }
  const relatedTarget = track === undefined ? null : new MediaStream([track])
  request.dispatchEvent(new MouseEvent(ANSWER, { relatedTarget }))
}
