// In the page's own world, before its scripts: getUserMedia gives a clean track in place of the microphone's. In: whatever
// the page asks for. Out: the same MediaStream; video, errors and constraints as the browser gives them. What cleans lives
// in the extension's world (content.ts); where it does not answer, the page has its plain microphone.

import { standIn } from './likeness.ts'
import { ANSWER, ASK, CLOSE } from './protocol.ts'

/** A page must not wait longer for its microphone. */
const PATIENCE_MS = 5000

type Legacy = (
  constraints: MediaStreamConstraints,
  take: (stream: MediaStream) => void,
  refuse: (e: Error) => void,
) => void

if (typeof MediaDevices !== 'undefined') wrapDevices()

function wrapDevices(): void {
  const open = MediaDevices.prototype.getUserMedia
  // methods, as the browser's own cannot be constructed either
  const { getUserMedia } = {
    async getUserMedia(this: MediaDevices, ...given: [MediaStreamConstraints?]): Promise<MediaStream> {
      return clean(await open.apply(this, given))
    },
  }
  MediaDevices.prototype.getUserMedia = getUserMedia
  for (const name of ['getUserMedia', 'webkitGetUserMedia']) {
    if (!(name in Navigator.prototype)) continue
    const legacy: Legacy = (constraints, take, refuse) => {
      navigator.mediaDevices.getUserMedia(constraints).then(take, refuse)
    }
    Object.defineProperty(Navigator.prototype, name, { configurable: true, writable: true, value: legacy })
  }
}

async function clean(stream: MediaStream): Promise<MediaStream> {
  for (const microphone of stream.getAudioTracks()) {
    const request = new MediaStream([microphone])
    const track = await ask(request)
    if (track === undefined) continue
    stream.removeTrack(microphone)
    stream.addTrack(track)
    standIn(track, microphone, () => request.dispatchEvent(new Event(CLOSE)))
  }
  return stream
}

function ask(request: MediaStream): Promise<MediaStreamTrack | undefined> {
  return new Promise((resolve) => {
    const giveUp = () => {
      resolve(undefined)
      request.dispatchEvent(new Event(CLOSE)) // to whom it may still concern
    }
    const patience = setTimeout(giveUp, PATIENCE_MS)
    const take = (event: Event) => {
      clearTimeout(patience)
      resolve(trackOf(event as MouseEvent))
    }
    request.addEventListener(ANSWER, take, { once: true })
    const isUnheard = document.dispatchEvent(new MouseEvent(ASK, { relatedTarget: request, cancelable: true }))
    if (isUnheard) giveUp()
  })
}

function trackOf({ relatedTarget }: MouseEvent): MediaStreamTrack | undefined {
  return relatedTarget instanceof MediaStream ? relatedTarget.getAudioTracks()[0] : undefined
}
