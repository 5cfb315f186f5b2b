// A microphone that plays a file, and a recorder of tracks. In: samples. Out: what Chromium must be started with; the sound of
// tracks that the page keeps in `globalThis.tracks`, one array each, sample beside sample.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { writeWav16 } from '../../bench/quality/wav.ts'

export interface Microphone {
  readonly args: readonly string[]
  remove(): void
}

/** Plays `samples` again and again to every page that asks for a microphone. */
export function makeMicrophone(samples: Float32Array, rate: number): Microphone {
  const folder = mkdtempSync(join(tmpdir(), 'microphone-'))
  const file = join(folder, 'microphone.wav')
  writeFileSync(file, writeWav16({ samples, sampleRate: rate }))
  return {
    args: [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${file}`,
    ],
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** The tracks of these names at the same time, at `rate`. */
export async function recordTracks(page: Page, names: readonly string[], seconds: number, rate: number) {
  const texts = await page.evaluate(
    async ({ names, seconds, rate }) => {
      const recorder = `registerProcessor('recorder', class extends AudioWorkletProcessor {
        process([input]) {
          if (input.length > 0) this.port.postMessage(input.map((plane) => plane.slice()))
          return true
        }
      })`
      const context = new AudioContext({ sampleRate: rate })
      await context.audioWorklet.addModule(URL.createObjectURL(new Blob([recorder], { type: 'text/javascript' })))
      const merger = new ChannelMergerNode(context, { numberOfInputs: names.length })
      const { tracks } = globalThis as unknown as { tracks: Record<string, MediaStreamTrack> }
      for (const [i, name] of names.entries()) {
        const source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([tracks[name]]) })
        const mono = new GainNode(context, { channelCount: 1, channelCountMode: 'explicit' })
        source.connect(mono).connect(merger, 0, i)
      }
      const node = new AudioWorkletNode(context, 'recorder', {
        channelCount: names.length,
        channelCountMode: 'explicit',
      })
      const frames = Math.round(seconds * rate)
      const planes = names.map(() => new Float32Array(frames))
      await new Promise<void>((resolve) => {
        let filled = 0
        node.port.onmessage = ({ data }: MessageEvent<Float32Array[]>) => {
          const room = Math.min(data[0].length, frames - filled)
          for (const [i, plane] of data.entries()) planes[i].set(plane.subarray(0, room), filled)
          filled += room
          if (filled === frames) resolve()
        }
        merger.connect(node).connect(context.destination)
      })
      await context.close()
      return planes.map((plane) => {
        let text = ''
        const bytes = new Uint8Array(plane.buffer)
        for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
        return btoa(text)
      })
    },
    { names: [...names], seconds, rate },
  )
  return texts.map((text) => {
    const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
    return new Float32Array(bytes.buffer)
  })
}
