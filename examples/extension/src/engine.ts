// What cleans, in the extension's world, loaded with the first microphone of a document. In: a microphone. Out: a clean
// track, which follows the settings until the page has stopped it; reports for popup and badge.

import { openFrame } from './cleaner.frame.ts'
import { openTrack } from './cleaner.track.ts'
import type { Cleaner } from './cleaner.ts'
import { Meter } from './meter.ts'
import { inTime } from './patience.ts'
import { METER, type MicrophoneReport, type Report, type State } from './protocol.ts'
import { followSettings, readSettings, type Settings, strengthOf } from './settings.ts'

const REPORT_MS = 100

interface Call {
  readonly label: string
  readonly cleaner: Cleaner
  readonly meter: Meter
}

const calls = new Set<Call>()
const id = crypto.randomUUID()
let trouble: string | undefined

/** Lives until `closed`. Rejects where no way works, or none before that; the reason is shown by badge and popup. */
export async function clean(microphone: MediaStreamTrack, closed: AbortSignal): Promise<MediaStreamTrack> {
  try {
    const call = await open(microphone)
    if (closed.aborted) await close(call)
    closed.throwIfAborted()
    closed.addEventListener('abort', () => close(call))
    trouble = undefined
    return call.cleaner.track
  } catch (error) {
    trouble = `This page has its plain microphone: ${(error as Error).message}`
    throw error
  } finally {
    tellState()
  }
}

async function open(microphone: MediaStreamTrack): Promise<Call> {
  const context = new AudioContext({ latencyHint: 'interactive' })
  try {
    await inTime(context.resume(), 'its sound may not begin before a click')
    const cleaner = await openCleaner(microphone, context)
    apply(cleaner, await readSettings())
    const call = { label: microphone.label, cleaner, meter: new Meter(context, microphone, cleaner.track) }
    calls.add(call)
    return call
  } catch (error) {
    await context.close()
    throw error
  }
}

/** WASM where the page allows it; else in a frame of the extension. */
async function openCleaner(microphone: MediaStreamTrack, context: AudioContext): Promise<Cleaner> {
  const wasm = await compile()
  return wasm === undefined ? openFrame(microphone, context) : openTrack(microphone, context, wasm)
}

/** Pages whose Content-Security-Policy forbids WebAssembly forbid it to extensions in their documents too. */
async function compile(): Promise<WebAssembly.Module | undefined> {
  const response = await fetch(chrome.runtime.getURL('core.simd.wasm'))
  const bytes = await response.arrayBuffer()
  return WebAssembly.compile(bytes).catch(() => undefined)
}

function apply(cleaner: Cleaner, settings: Settings): void {
  cleaner.setStrength(settings.isOn ? strengthOf(settings) : 0)
}

async function close(call: Call): Promise<void> {
  calls.delete(call)
  tellState()
  call.meter.close()
  await call.cleaner.close()
  await call.meter.context.close()
}

followSettings((settings) => {
  for (const { cleaner } of calls) apply(cleaner, settings)
})

function tellState(): void {
  const state: State = { microphones: calls.size, trouble }
  chrome.runtime.sendMessage(state).catch(() => {}) // the extension was updated: nobody listens
}

chrome.runtime.onConnect.addListener(async (port) => {
  if (port.name !== METER) return
  let isOpen = true
  port.onDisconnect.addListener(() => {
    isOpen = false
  })
  while (isOpen) {
    const microphones = await Promise.all([...calls].map(report))
    if (isOpen) port.postMessage({ id, microphones, trouble } satisfies Report)
    await new Promise((resolve) => setTimeout(resolve, REPORT_MS))
  }
})

async function report({ label, cleaner, meter }: Call): Promise<MicrophoneReport> {
  const gaps = await cleaner.gaps()
  const { way, latencyMs } = cleaner
  return { label, way, latencyMs, ...meter.read(), gaps }
}
