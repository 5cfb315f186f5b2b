// The popup: switch and strength into the settings, reports of the tab's frames onto the screen. `?tab=ID` names another tab
// than the one in front.

import { METER, type MicrophoneReport, type Report, type Way } from './protocol.ts'
import { ALL_DB, readSettings, writeSettings } from './settings.ts'

const LEAST_DB = -70
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

function listen(tabId: number): void {
  const port = chrome.tabs.connect(tabId, { name: METER })
  port.onMessage.addListener((report: Report) => {
    reports.set(report.id, report)
    show()
  })
  port.onDisconnect.addListener(() => {
    void chrome.runtime.lastError // no frame of this tab has opened a microphone
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

function showMicrophone(
  at: Element,
  { label, way, latencyMs, beforeDb, afterDb, hopMs, load }: MicrophoneReport,
): void {
  const set = (name: string, text: string) => {
    at.querySelector(`.${name}`)!.textContent = text
  }
  set('label', label)
  set('hop', `${hopMs.toFixed(2)} ms`)
  set('load', `${(100 * load).toFixed(1)} %`)
  set('latency', `${latencyMs.toFixed(0)} ms`)
  set('way', WAYS[way])
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
