// A track that stands in for another: who holds the clean one may ask it for label, settings, constraints and mute of the
// device behind it. In: the clean track and a function that names the source of the moment. Changes the clean track itself.

/** Read from the source. */
const READ = ['label', 'muted'] as const
/** Answered by the source. */
const ASKED = ['getSettings', 'getCapabilities', 'getConstraints', 'applyConstraints'] as const

export function likenAs(clean: MediaStreamTrack, source: () => MediaStreamTrack): void {
  for (const name of READ) Object.defineProperty(clean, name, { configurable: true, get: () => source()[name] })
  for (const name of ASKED) {
    const ask = (...given: [MediaTrackConstraints?]) => (source()[name] as (...given: unknown[]) => unknown)(...given)
    Object.defineProperty(clean, name, { configurable: true, value: ask })
  }
}
