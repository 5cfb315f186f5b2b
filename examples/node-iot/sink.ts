// Where samples go: a loudspeaker by ALSA's `aplay`, or a WAV file. In: mono f32 at one rate. A file is whole after `close`, however
// early that comes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { encodeSamples } from 'attenuate-edge'
import { encodeWavHeader } from 'attenuate-edge/wav'

export interface Sink {
  write(samples: Float32Array): Promise<void>
  close(): Promise<void>
}

export function openSink(target: string, sampleRate: number, device: string): Promise<Sink> {
  return target === 'speaker' ? openSpeaker(sampleRate, device) : WavSink.open(target, sampleRate)
}

async function openSpeaker(sampleRate: number, device: string): Promise<Sink> {
  const args = ['-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate), '-D', device]
  // in a group of its own, where Ctrl+C does not reach it: what is left is played
  const child = spawn('aplay', args, { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
  await once(child, 'spawn').catch((error) => {
    throw new Error(`aplay cannot be run (${error.message}); install alsa-utils or give --output FILE.wav`)
  })
  let fault: Error | undefined
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (code !== 0) fault = new Error(`aplay ended with ${code ?? signal}; check --device and --rate`)
  })
  const drained = () => new Promise((resolve) => child.stdin.once('drain', resolve))
  child.stdin.on('error', () => undefined) // it has ended, and says why itself
  return {
    async write(samples) {
      if (fault === undefined && !child.stdin.write(toPcm(samples))) await Promise.race([drained(), ended])
      if (fault !== undefined) throw fault
    },
    async close() {
      child.stdin.end()
      await ended
      if (fault !== undefined) throw fault
    },
  }
}

class WavSink implements Sink {
  readonly #file: FileHandle
  readonly #sampleRate: number
  #bytes = 0

  private constructor(file: FileHandle, sampleRate: number) {
    this.#file = file
    this.#sampleRate = sampleRate
  }

  static async open(path: string, sampleRate: number): Promise<WavSink> {
    const sink = new WavSink(await open(path, 'w'), sampleRate)
    await sink.#writeHeader()
    return sink
  }

  async write(samples: Float32Array): Promise<void> {
    const bytes = toPcm(samples)
    await this.#file.write(bytes, 0, bytes.length, this.#headerBytes + this.#bytes)
    this.#bytes += bytes.length
  }

  async close(): Promise<void> {
    await this.#writeHeader()
    await this.#file.close()
  }

  get #headerBytes(): number {
    return this.#header().length
  }

  #header(): Uint8Array {
    return encodeWavHeader({ sampleFormat: 's16', sampleRate: this.#sampleRate, channels: 1 }, this.#bytes, true)
  }

  async #writeHeader(): Promise<void> {
    const header = this.#header()
    await this.#file.write(header, 0, header.length, 0)
  }
}

function toPcm(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * samples.length)
  encodeSamples('s16', samples, samples.length, bytes)
  return bytes
}
