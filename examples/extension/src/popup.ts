// The popup: switch and strength into the settings; reports of the tab's frames and times of hops onto the screen. `?tab=ID` names another tab
// than the one in front.

import { Hops } from './hops.ts'
import { METER, type MicrophoneReport, type Report, type Way } from './protocol.ts'
import { ALL_DB, readSettings, writeSettings } from './settings.ts'

const LEAST_DB = -70
const HOP_MS = 16
/** Between figures. */
const HOPS_MS = 500
/** Until the tab is asked once more whether there is a microphone. */
const AGAIN_MS = 1000
const WAYS: Readonly<Record<Way, string>> = { worklet: 'audio thread', stream: 'page', frame: 'own frame' }

const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T
const on = byId<HTMLInputElement>('on')
const strength = byId<HTMLInputElement>('strength')
const list = byId('microphones')
const template = byId<HTMLTemplateElement>('microphone')
/** The last report of each frame. */
const reports = new Map<string, Report>()

async function begin(): Promise<void> {
  const { isOn, strengthDb } = await readSettings()
  on.checked = isOn
  strength.value = String(-strengthDb)
  showSettings()
  on.addEventListener('change', save)
  strength.addEventListener('input', save)
  showHops(await Hops.open())
  const tabId = await findTab()
  if (tabId !== undefined) listen(tabId)
}

function save(): void {
  showSettings()
  writeSettings({ isOn: on.checked, strengthDb: -Number(strength.value) })
}

function showSettings(): void {
  const decibels = -Number(strength.value)
  const text = decibels <= ALL_DB ? 'everything' : decibels === 0 ? 'nothing' : `at most ${-decibels} dB`
  byId('on-text').textContent = on.checked ? 'On' : 'Off'
  byId('strength-text').textContent = text
  strength.setAttribute('aria-valuetext', text)
  strength.disabled = !on.checked
}

async function findTab(): Promise<number | undefined> {
  const named = new URLSearchParams(location.search).get('tab')
  if (named !== null) return Number(named)
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true })
  return tab?.id
}

function showHops(hops: Hops): void {
  const micros = (milliseconds: number) => `${(1000 * milliseconds).toFixed(0)} \u00b5s`
  setInterval(() => {
    const now = hops.read()
    if (now === undefined) return
    byId('median').textContent = micros(now.medianMs)
    byId('late').textContent = micros(now.lateMs)
    byId('load').textContent = `${((100 * now.medianMs) / HOP_MS).toFixed(1)} %`
  }, HOPS_MS)
}

function listen(tabId: number): void {
  const port = chrome.tabs.connect(tabId, { name: METER })
  port.onMessage.addListener((report: Report) => {
    reports.set(report.id, report)
    show()
  })
  port.onDisconnect.addListener(() => {
    void chrome.runtime.lastError // no frame of this tab has opened a microphone yet
    reports.clear() // of a page that is gone
    show()
    setTimeout(() => listen(tabId), AGAIN_MS)
  })
}

function show(): void {
  const microphones = [...reports.values()].flatMap((report) => report.microphones)
  const trouble = [...reports.values()].find((report) => report.trouble !== undefined)?.trouble
  byId('trouble').textContent = trouble ?? ''
  byId('trouble').hidden = trouble === undefined
  byId('idle').hidden = microphones.length > 0 || trouble !== undefined
  while (list.children.length > microphones.length) list.lastElementChild!.remove()
  while (list.children.length < microphones.length) list.append(template.content.cloneNode(true))
  for (const [i, microphone] of microphones.entries()) showMicrophone(list.children[i], microphone)
}

function showMicrophone(at: Element, { label, way, latencyMs, beforeDb, afterDb, gaps }: MicrophoneReport): void {
  const set = (name: string, text: string) => {
    at.querySelector(`.${name}`)!.textContent = text
  }
  set('label', label)
  set('latency', `${latencyMs.toFixed(0)} ms`)
  set('way', WAYS[way])
  set('gaps', gaps === 0 ? 'none' : String(gaps))
  showLevel(at, 'before', beforeDb)
  showLevel(at, 'after', afterDb)
}

function showLevel(at: Element, name: 'before' | 'after', decibels: number): void {
  const shown = Math.max(LEAST_DB, Math.min(0, decibels))
  const bar = at.querySelector(`.bar.${name}`)!
  const text = decibels <= LEAST_DB ? 'silent' : `${decibels.toFixed(0)} dB`
  bar.setAttribute('aria-valuenow', shown.toFixed(0))
  bar.setAttribute('aria-valuetext', text)
  bar.querySelector('i')!.style.transform = `translateX(${(-100 * shown) / LEAST_DB}%)`
  at.querySelector(`.${name}-db`)!.textContent = text
}

begin()
