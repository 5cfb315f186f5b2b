// A clean track that pages cannot tell from the microphone they asked for: label, settings, constraints and mute are the
// microphone's; clones count; when the last of them is stopped, so is the microphone. In: the clean track, the microphone.
// The browser's prototypes are wrapped once; tracks of no concern to us go straight through.

interface Pair {
  readonly microphone: MediaStreamTrack
  /** The clean track and its clones that are not stopped. */
  readonly live: Set<MediaStreamTrack>
  readonly onEnd: () => void
}

const pairs = new WeakMap<MediaStreamTrack, Pair>()

const ASKED = ['getSettings', 'getCapabilities', 'getConstraints', 'applyConstraints'] as const
const READ = ['label', 'muted'] as const

const { stop, clone } = MediaStreamTrack.prototype
const cloneStream = MediaStream.prototype.clone

for (const name of ASKED) {
  const ask = MediaStreamTrack.prototype[name] as (...given: unknown[]) => unknown
  override(MediaStreamTrack.prototype, name, function (this: MediaStreamTrack, ...given) {
    return ask.apply(pairs.get(this)?.microphone ?? this, given)
  })
}

for (const name of READ) {
  const property = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, name)!
  Object.defineProperty(MediaStreamTrack.prototype, name, {
    ...property,
    get(this: MediaStreamTrack) {
      return property.get!.call(pairs.get(this)?.microphone ?? this)
    },
  })
}

override(MediaStreamTrack.prototype, 'stop', function (this: MediaStreamTrack) {
  stop.call(this)
  leave(this)
})

override(MediaStreamTrack.prototype, 'clone', function (this: MediaStreamTrack) {
  const copy = clone.call(this)
  const pair = pairs.get(this)
  if (pair !== undefined && this.readyState === 'live') join(copy, pair)
  return copy
})

override(MediaStream.prototype, 'clone', function (this: MediaStream) {
  const tracks = this.getTracks()
  // the browser's own does not ask the tracks
  return tracks.some((track) => pairs.has(track))
    ? new MediaStream(tracks.map((track) => track.clone()))
    : cloneStream.call(this)
})

/** `onEnd`: once, when neither `clean` nor a clone of it is live any more. */
export function standIn(clean: MediaStreamTrack, microphone: MediaStreamTrack, onEnd: () => void): void {
  const pair: Pair = { microphone, live: new Set(), onEnd }
  join(clean, pair)
  for (const type of ['mute', 'unmute']) microphone.addEventListener(type, () => tell([...pair.live], type))
  microphone.addEventListener('ended', () => {
    const tracks = [...pair.live]
    for (const track of tracks) track.stop()
    tell(tracks, 'ended')
  })
}

function join(track: MediaStreamTrack, pair: Pair): void {
  pairs.set(track, pair)
  pair.live.add(track)
}

function leave(track: MediaStreamTrack): void {
  const pair = pairs.get(track)
  if (pair === undefined || !pair.live.delete(track) || pair.live.size > 0) return
  stop.call(pair.microphone)
  pair.onEnd()
}

function tell(tracks: readonly MediaStreamTrack[], type: string): void {
  for (const track of tracks) track.dispatchEvent(new Event(type))
}

function override<T extends object>(
  on: T,
  name: keyof T & string,
  value: (this: never, ...given: unknown[]) => unknown,
): void {
  Object.defineProperty(on, name, { ...Object.getOwnPropertyDescriptor(on, name), value })
}
