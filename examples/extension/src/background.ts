// The badge of each tab: nothing while no microphone is open, a dot while one is cleaned, an exclamation mark and the reason
// where a page has its plain microphone. In: a State from a frame. Frames of one tab overwrite each other but for trouble.

import type { State } from './protocol.ts'

const CLEAN = { text: '•', color: '#0f766e' }
const PLAIN = { text: '!', color: '#b45309' }

chrome.runtime.onMessage.addListener((state: State, { tab }) => {
  if (tab?.id === undefined) return
  const tabId = tab.id
  const mark = state.trouble !== undefined ? PLAIN : state.microphones > 0 ? CLEAN : undefined
  chrome.action.setBadgeText({ tabId, text: mark?.text ?? '' })
  if (mark !== undefined) chrome.action.setBadgeBackgroundColor({ tabId, color: mark.color })
  chrome.action.setTitle({ tabId, title: state.trouble ?? 'Clean calls' })
})
