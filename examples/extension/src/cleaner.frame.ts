// The way through pages that forbid WebAssembly: a worklet without any (pipe.ts) sends samples to a worker (frame.worker.ts)
// in a frame of the extension, whose own policy counts there, and plays what comes back. No sample touches the page's main
// thread. The delay begins small and grows to what scheduling on this machine asks for.

import { type Cleaner, channelsOf } from './cleaner.ts'
import { type Control, type Opening, PIECE, type PipeOptions, type PipeState, type Reply } from './frame.protocol.ts'
import { inTime } from './patience.ts'

/** For scheduling, there and back, at first and at most; a round trip takes 1 ms where there is time. */
const MARGIN_MS = 10
const MOST_MARGIN_MS = 120

export async function openFrame(microphone: MediaStreamTrack, context: AudioContext): Promise<Cleaner> {
  const channels = channelsOf(microphone)
  const audio = new MessageChannel()
  const control = new MessageChannel()
  const frame = await addFrame()
  try {
    const opening: Opening = { sampleRate: context.sampleRate, channels }
    frame.contentWindow!.postMessage(opening, `chrome-extension://${chrome.runtime.id}`, [audio.port2, control.port2])
    const reply = await ask(control.port1)
    if ('error' in reply) throw new Error(reply.error)
    return await connect({ microphone, context, channels, audio: audio.port1, control: control.port1, frame, ...reply })
  } catch (error) {
    frame.remove()
    throw error
  }
}

interface Parts {
  readonly microphone: MediaStreamTrack
  readonly context: AudioContext
  readonly channels: number
  readonly audio: MessagePort
  readonly control: MessagePort
  readonly frame: HTMLIFrameElement
  readonly latencySamples: number
}

async function connect({
  microphone,
  context,
  channels,
  audio,
  control,
  frame,
  latencySamples,
}: Parts): Promise<Cleaner> {
  await context.audioWorklet.addModule(chrome.runtime.getURL('pipe.js'))
  const after = (marginMs: number) => latencySamples + PIECE + Math.round((marginMs * context.sampleRate) / 1000)
  let state: PipeState = { delay: after(MARGIN_MS), gaps: 0 }
  const pipe = new AudioWorkletNode(context, 'attenuate-pipe', {
    channelCount: channels,
    channelCountMode: 'explicit',
    outputChannelCount: [channels],
    processorOptions: { channels, delay: state.delay, mostDelay: after(MOST_MARGIN_MS) } satisfies PipeOptions,
  })
  pipe.port.onmessage = ({ data }: MessageEvent<PipeState>) => {
    state = data
  }
  pipe.port.postMessage(null, [audio])
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([microphone]) })
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: channels })
  source.connect(pipe).connect(destination)
  return {
    way: 'frame',
    track: destination.stream.getAudioTracks()[0],
    get latencyMs() {
      return (1000 * state.delay) / context.sampleRate
    },
    setStrength: (strengthDb) => control.postMessage({ strengthDb } satisfies Control),
    gaps: async () => state.gaps,
    close: async () => {
      source.disconnect()
      pipe.port.postMessage('close')
      control.postMessage('close' satisfies Control)
      frame.remove()
    },
  }
}

function addFrame(): Promise<HTMLIFrameElement> {
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.setAttribute('credentialless', '') // or pages with Cross-Origin-Embedder-Policy refuse it
  frame.ariaHidden = 'true'
  frame.src = chrome.runtime.getURL('frame.html')
  const loading = new Promise<HTMLIFrameElement>((resolve) => {
    frame.onload = () => resolve(frame)
  })
  document.documentElement.append(frame)
  return inTime(loading, "the extension's frame did not load")
}

function ask(port: MessagePort): Promise<Reply> {
  const reply = new Promise<Reply>((resolve) => {
    port.addEventListener('message', ({ data }) => resolve(data), { once: true })
    port.start()
  })
  return inTime(reply, "the extension's frame did not answer")
}
