// The page: controls into the sound, the sound onto the screen. Everything begins with the first press of Play.

import { assetUrl } from './assets.ts'
import type { ChannelName } from './channel.ts'
import { type Heard, Sound } from './sound.ts'
import { fetchClip, openFile, openMicrophone, type Source } from './source.ts'
import { Spectrogram } from './spectrogram.ts'
import type { BackendName } from './stopwatch.ts'

/** Of the spectrograms: what the clip has; elsewhere what speech has. */
const CLIP_TOP_HZ = 8000
const TOP_HZ = 16000

type SourceName = 'clip' | 'file' | 'microphone'

/** From here on down everything is taken away. */
const ALL_DB = -40
const SILENT_DB = -100
const FIGURES_MS = 250
const HINTS: Readonly<Record<SourceName, string>> = {
  clip: 'A sentence in street traffic, 8 s. Or drop a file anywhere on this page.',
  file: 'Choose a file, or drop one anywhere on this page.',
  microphone: "The browser's own suppression is off. Playing it aloud needs headphones, or it howls.",
}

const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T
const play = byId<HTMLButtonElement>('play')
const file = byId<HTMLInputElement>('file')
const audible = byId<HTMLInputElement>('audible')
const model = byId<HTMLSelectElement>('model')
const strength = byId<HTMLInputElement>('strength')
const spectrograms = { before: new Spectrogram(byId('before')), after: new Spectrogram(byId('after')) }

let sound: Sound | undefined
let source: Source | undefined
let chosen: File | undefined
/** Done when all that begins or ends the sound is: a file may be dropped while the model still loads. */
let turn: Promise<void> = Promise.resolve()
/** What the user has chosen for sound that comes from no sensor. */
let usualModel = model.value

const choiceOf = <T extends string>(name: string) =>
  document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)!.value as T
const sourceName = () => choiceOf<SourceName>('source')

play.addEventListener('click', () => inTurn(() => (source === undefined ? start() : stop())))
file.addEventListener('change', () => take(file.files?.[0]))
audible.addEventListener('change', () => sound?.setAudible(audible.checked))
model.addEventListener('change', () => attempt(changeModel))
strength.addEventListener('input', changeStrength)
onChoice('source', changeSource)
onChoice('channel', () => attempt(changeChannel))
onChoice('backend', () => sound?.setBackend(choiceOf<BackendName>('backend')))
onChoice('heard', () => sound?.setHeard(choiceOf<Heard>('heard')))
document.addEventListener('keydown', swapByKey)
listenForDrops()
setInterval(() => attempt(showFigures), FIGURES_MS)

function onChoice(name: string, act: () => void): void {
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) input.addEventListener('change', act)
}

/** Whatever goes wrong is said on the page. */
async function attempt(act: () => Promise<void> | void): Promise<void> {
  try {
    await act()
  } catch (error) {
    await stop()
    complain((error as Error).message)
  }
}

function inTurn(act: () => Promise<void> | void): Promise<void> {
  turn = turn.then(() => attempt(act))
  return turn
}

function complain(text: string): void {
  byId('trouble').textContent = text
  byId('trouble').hidden = false
}

function say(text: string): void {
  byId('status').textContent = text
  byId('trouble').hidden = true
}

async function start(): Promise<void> {
  if (sourceName() === 'file' && chosen === undefined) return file.click()
  play.disabled = true
  try {
    sound ??= await openSound()
    await sound.context.resume()
    source = await openSource(sound)
    source.node.connect(sound.input)
    scaleSpectrograms(sourceName() === 'clip' ? CLIP_TOP_HZ : TOP_HZ)
  } finally {
    play.disabled = false
  }
  play.textContent = 'Stop'
  say(`Playing at ${sound.context.sampleRate} Hz.`)
}

function scaleSpectrograms(topHz: number): void {
  for (const of of ['before', 'after'] as const) {
    spectrograms[of].topHz = topHz
    byId(of).ariaLabel = `Spectrogram ${of}, 0 to ${topHz / 1000} kHz, the last seconds`
  }
  for (const axis of document.querySelectorAll('.axis'))
    for (const [i, mark] of [...axis.children].entries()) {
      const kilohertz = (topHz / 1000) * (1 - i / (axis.children.length - 1))
      mark.textContent = i === 0 ? `${kilohertz} kHz` : String(kilohertz)
    }
}

async function stop(): Promise<void> {
  source?.stop()
  source?.node.disconnect()
  source = undefined
  play.textContent = 'Play'
  say('Stopped.')
}

async function openSound(): Promise<Sound> {
  say('Loading the core and the model.')
  const opened = await Sound.open(useWasm)
  // Safari interrupts for calls and Siri, every browser for pages in the background
  opened.context.addEventListener('statechange', () => {
    const state: string = opened.context.state
    if (state === 'suspended' || state === 'interrupted')
      say('The browser has paused the sound: press Stop, then Play.')
  })
  for (let name = ''; name !== model.value; ) {
    name = model.value // which may change while it loads, as all below
    await opened.setModel(name)
  }
  opened.setBackend(choiceOf('backend'))
  opened.setChannel(choiceOf('channel'))
  opened.setHeard(choiceOf('heard'))
  opened.setAudible(audible.checked)
  opened.setStrength(strengthDb())
  requestAnimationFrame(function draw(now) {
    if (source !== undefined) for (const of of ['before', 'after'] as const) spectrograms[of].draw(opened[of], now)
    requestAnimationFrame(draw)
  })
  return opened
}

/** No WebGPU here: WASM is timed, and the reason said. */
function useWasm(reason: string): void {
  document.querySelector<HTMLInputElement>('input[name="backend"][value="wasm"]')!.checked = true
  sound?.setBackend('wasm')
  complain(`WebGPU cannot be timed: ${reason}`)
}

async function openSource({ context }: Sound): Promise<Source> {
  const name = sourceName()
  if (name === 'microphone') return openMicrophone(context)
  if (name === 'file') return openFile(context, await chosen!.arrayBuffer(), chosen!.name)
  return openFile(context, await fetchClip(assetUrl('clip.wav')), 'the clip')
}

function changeSource(): void {
  const name = sourceName()
  byId('source-hint').textContent = name === 'file' && chosen !== undefined ? chosen.name : HINTS[name]
  audible.checked = name !== 'microphone'
  sound?.setAudible(audible.checked)
  inTurn(async () => {
    if (source === undefined) return
    await stop()
    if (name !== 'file') await start()
  })
  if (name === 'file') file.click()
}

async function take(given: File | undefined): Promise<void> {
  if (given === undefined) return
  chosen = given
  document.querySelector<HTMLInputElement>('input[value="file"]')!.checked = true
  byId('source-hint').textContent = given.name
  audible.checked = true
  sound?.setAudible(true)
  await inTurn(async () => {
    if (source !== undefined) await stop()
    await start()
  })
}

async function changeChannel(): Promise<void> {
  const channel = choiceOf<ChannelName>('channel')
  const isSensor = channel === 'sensor'
  if (!model.disabled) usualModel = model.value
  model.value = isSensor ? 'nano' : usualModel
  model.disabled = isSensor
  sound?.setChannel(channel)
  await changeModel()
}

async function changeModel(): Promise<void> {
  strength.disabled = model.value === 'nano' // nothing to blend with: what comes out has four times the band
  await sound?.setModel(model.value)
}

function changeStrength(): void {
  const decibels = strengthDb()
  const text = decibels === 0 ? 'nothing' : Number.isFinite(decibels) ? `at most ${-decibels} dB` : 'everything'
  byId('strength-text').textContent = text
  strength.setAttribute('aria-valuetext', text)
  sound?.setStrength(decibels)
}

function strengthDb(): number {
  const decibels = -Number(strength.value)
  return decibels <= ALL_DB ? Number.NEGATIVE_INFINITY : decibels
}

function swapByKey({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): void {
  if (key.toLowerCase() !== 'b' || ctrlKey || metaKey || altKey || target instanceof HTMLSelectElement) return
  const other = choiceOf<Heard>('heard') === 'before' ? 'after' : 'before'
  document.querySelector<HTMLInputElement>(`input[name="heard"][value="${other}"]`)!.click()
}

function listenForDrops(): void {
  const veil = byId('drop')
  const show = (isShown: boolean) => (event: DragEvent) => {
    event.preventDefault()
    veil.hidden = !isShown
  }
  addEventListener('dragover', show(true))
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) show(false)(event)
  })
  addEventListener('drop', (event) => {
    show(false)(event)
    take(event.dataTransfer?.files[0])
  })
}

async function showFigures(): Promise<void> {
  if (sound === undefined || source === undefined) return
  for (const of of ['before', 'after'] as const) {
    const decibels = sound.levelDb(of)
    byId(`${of}-level`).textContent = decibels < SILENT_DB ? 'silent' : `${decibels.toFixed(0)} dB`
  }
  const hops = sound.stopwatch.read()
  const micros = (ms: number | undefined) => (ms === undefined ? '-' : `${(1000 * ms).toFixed(0)} \u00b5s`)
  byId('speed').textContent = hops === undefined ? '-' : `${(1 / hops.speed).toFixed(4)} (${hops.speed.toFixed(0)} x)`
  byId('median').textContent = micros(hops?.medianMs)
  byId('late').textContent = micros(hops?.lateMs)
  byId('latency').textContent = `${sound.latencyMs.toFixed(1)} ms`
  const { underruns = 0 } = (await sound.stats()) ?? {}
  byId('gaps').textContent = underruns === 0 ? 'none' : String(underruns)
  sound.stopwatch.draw(byId('hops'))
}
