// How loud it is before and after. In: the microphone's track and the clean one. Out: RMS of both in dBFS, over so much time that
// the latency between them does not matter.

/** 0.17 s at 48 kHz. */
const SAMPLES = 8192
/** Of a reading in the mean of readings: half a second of memory at ten readings a second. */
const SHARE = 0.25

export class Meter {
  readonly context: AudioContext
  readonly #before: AnalyserNode
  readonly #after: AnalyserNode
  readonly #sources: MediaStreamAudioSourceNode[]
  readonly #samples = new Float32Array(SAMPLES)
  readonly #powers = { before: 0, after: 0 }

  constructor(context: AudioContext, microphone: MediaStreamTrack, clean: MediaStreamTrack) {
    this.context = context
    this.#before = new AnalyserNode(context, { fftSize: SAMPLES })
    this.#after = new AnalyserNode(context, { fftSize: SAMPLES })
    this.#sources = [this.#listen(microphone, this.#before), this.#listen(clean, this.#after)]
  }

  read(): { readonly beforeDb: number; readonly afterDb: number } {
    return { beforeDb: this.#level('before', this.#before), afterDb: this.#level('after', this.#after) }
  }

  close(): void {
    for (const source of this.#sources) source.disconnect()
  }

  #listen(track: MediaStreamTrack, analyser: AnalyserNode): MediaStreamAudioSourceNode {
    const source = new MediaStreamAudioSourceNode(this.context, { mediaStream: new MediaStream([track]) })
    source.connect(analyser)
    return source
  }

  #level(of: 'before' | 'after', analyser: AnalyserNode): number {
    analyser.getFloatTimeDomainData(this.#samples)
    const power = this.#samples.reduce((sum, x) => sum + x * x, 0) / SAMPLES
    this.#powers[of] += SHARE * (power - this.#powers[of])
    return 10 * Math.log10(this.#powers[of] + 1e-12)
  }
}
