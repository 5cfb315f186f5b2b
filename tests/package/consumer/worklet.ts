// Types only: a page's program, checked against the DOM and never run here.
import { createDenoiserNode } from 'attenuate-edge/worklet'

export async function connect(context: AudioContext, microphone: MediaStream): Promise<void> {
  const node = await createDenoiserNode(context)
  node.strengthDb.value = -18
  context.createMediaStreamSource(microphone).connect(node).connect(context.destination)
  await node.close()
}
