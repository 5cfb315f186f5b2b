// How loud it is before and after. In: the microphone's track and the clean one. Out: RMS of the last samples of both in dBFS.

const SAMPLES = 2048

export class Meter {
  readonly context: AudioContext
  readonly #before: AnalyserNode
  readonly #after: AnalyserNode
  readonly #sources: MediaStreamAudioSourceNode[]
  readonly #samples = new Float32Array(SAMPLES)

  constructor(context: AudioContext, microphone: MediaStreamTrack, clean: MediaStreamTrack) {
    this.context = context
    this.#before = new AnalyserNode(context, { fftSize: SAMPLES })
    this.#after = new AnalyserNode(context, { fftSize: SAMPLES })
    this.#sources = [this.#listen(microphone, this.#before), this.#listen(clean, this.#after)]
  }

  read(): { readonly beforeDb: number; readonly afterDb: number } {
    return { beforeDb: this.#level(this.#before), afterDb: this.#level(this.#after) }
  }

  close(): void {
    for (const source of this.#sources) source.disconnect()
  }

  #listen(track: MediaStreamTrack, analyser: AnalyserNode): MediaStreamAudioSourceNode {
    const source = new MediaStreamAudioSourceNode(this.context, { mediaStream: new MediaStream([track]) })
    source.connect(analyser)
    return source
  }

  #level(analyser: AnalyserNode): number {
    analyser.getFloatTimeDomainData(this.#samples)
    const power = this.#samples.reduce((sum, x) => sum + x * x, 0) / SAMPLES
    return 10 * Math.log10(power + 1e-12)
  }
}
