// Pages that know nothing of the extension: they open a microphone and record it, as any page may. In: paths. Out: an HTTP
// server on a free port. /plain is any page; /strict forbids all but its own scripts; /isolated (COEP) also frames that do not
// ask for it; /hostile removes what others insert.

import { createServer, type Server } from 'node:http'
import { listen } from './server.ts'

const ISOLATION = [
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-embedder-policy', 'require-corp'],
] as const
const STRICT = "default-src 'none'; script-src 'self'"

/** Keeps its streams in `streams`; `callBack` sends one through a call to itself, `remote`; `record` gives the sound of one from now on, base64 of f32 at 16 kHz, one channel. */
const CALL = `
globalThis.streams = []
async function open(constraints) {
  const stream = await navigator.mediaDevices.getUserMedia(constraints)
  streams.push(stream)
  return streams.length - 1
}
async function callBack(stream) {
  const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()]
  here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate)
  there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate)
  const arrived = new Promise((resolve) => { there.ontrack = ({ track }) => resolve(new MediaStream([track])) })
  for (const track of stream.getTracks()) here.addTrack(track, stream)
  await here.setLocalDescription()
  await there.setRemoteDescription(here.localDescription)
  await there.setLocalDescription()
  await here.setRemoteDescription(there.localDescription)
  globalThis.remote = await arrived
  // without a media element Chromium does not decode
  const element = new Audio()
  element.muted = true
  element.srcObject = remote
  element.play()
}
async function record(stream, seconds) {
  const context = new AudioContext({ sampleRate: 16000 })
  await context.audioWorklet.addModule('/recorder.js')
  const node = new AudioWorkletNode(context, 'recorder', { channelCount: 1, channelCountMode: 'explicit' })
  const samples = new Float32Array(seconds * 16000)
  let filled = 0
  await new Promise((resolve) => {
    node.port.onmessage = ({ data }) => {
      samples.set(data.subarray(0, samples.length - filled), filled)
      filled = Math.min(samples.length, filled + data.length)
      if (filled === samples.length) resolve()
    }
    context.createMediaStreamSource(stream).connect(node).connect(context.destination)
  })
  await context.close()
  let text = ''
  const bytes = new Uint8Array(samples.buffer)
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}`

const RECORDER = `registerProcessor('recorder', class extends AudioWorkletProcessor {
  process([[plane]]) {
    if (plane !== undefined) this.port.postMessage(plane.slice())
    return true
  }
})`

const HOSTILE = `new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) if (node.localName === 'iframe') node.remove()
}).observe(document.documentElement, { childList: true })`

const SCRIPTS: Readonly<Record<string, string>> = {
  '/call.js': CALL,
  '/recorder.js': RECORDER,
  '/hostile.js': HOSTILE,
}

export async function serveCallers(): Promise<{ origin: string; server: Server }> {
  const server = createServer(({ url = '/' }, response) => {
    if (url in SCRIPTS) return response.setHeader('content-type', 'text/javascript').end(SCRIPTS[url])
    response.setHeader('content-type', 'text/html')
    if (url !== '/plain') response.setHeader('content-security-policy', STRICT)
    if (url === '/isolated') for (const [name, value] of ISOLATION) response.setHeader(name, value)
    const further = url === '/hostile' ? '<script src="/hostile.js"></script>' : ''
    response.end(`<!doctype html><title>${url.slice(1)}</title><script src="/call.js"></script>${further}`)
  })
  await listen(server)
  return { origin: `http://localhost:${(server.address() as { port: number }).port}`, server }
}
