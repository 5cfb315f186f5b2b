// Where sound comes from: the clip, a file or the microphone. In: a context. Out: a node that plays, and its end.

/** The browser's own cleaning would hide ours. */
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

export interface Source {
  readonly node: AudioNode
  stop(): void
}

export async function fetchClip(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`the clip: HTTP status ${response.status}`)
  return response.arrayBuffer()
}

/** Again and again, from its beginning. */
export async function openFile(context: AudioContext, bytes: ArrayBuffer, name: string): Promise<Source> {
  const buffer = await context.decodeAudioData(bytes).catch(() => {
    throw new Error(`${name} cannot be decoded: this browser does not know the format (Safari: try WAV, MP3 or M4A)`)
  })
  const node = new AudioBufferSourceNode(context, { buffer, loop: true })
  node.start()
  return { node, stop: () => node.stop() }
}

export async function openMicrophone(context: AudioContext): Promise<Source> {
  if (navigator.mediaDevices === undefined)
    throw new Error('no microphone here: serve the page over https or from localhost')
  const stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN }).catch((error: Error) => {
    throw new Error(`the microphone was not opened (${error.name}): allow it for this page and press Play again`)
  })
  const node = new MediaStreamAudioSourceNode(context, { mediaStream: stream })
  const stop = () => {
    for (const track of stream.getTracks()) track.stop()
  }
  return { node, stop }
}
