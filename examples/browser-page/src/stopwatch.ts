// Times of hops, collected. In: results of the worker that measures them. Out: percentiles, real-time factor, and the picture
// of their distribution.

import { fit } from './canvas.ts'
import { HOP_SECONDS } from './channel.ts'

/** What runs the hops that are timed. */
export type BackendName = 'wasm' | 'webgpu'

/** To the worker: `port` brings the hops, and comes once. */
export interface StopwatchOrder {
  readonly backend: BackendName
  readonly model: string
  readonly wasm: WebAssembly.Module
  readonly sampleRate: number
  readonly port?: MessagePort
}

/** Milliseconds of hops since the last message, or why there are none. */
export type StopwatchResult = readonly number[] | { readonly error: string }

/** A minute. */
const KEPT = 3750
/** Bins of the picture; each 5 us at first, doubled until nine hops of ten are in the first half. The last holds the rest. */
const BINS = 40
const FINEST_MS = 0.005

export class Stopwatch {
  readonly #worker: Worker
  #hops: number[] = []

  /** `onError`: a backend cannot be had; nothing is measured until the next order. */
  constructor(worker: Worker, onError: (message: string) => void) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<StopwatchResult>) => {
      if ('error' in data) onError(data.error)
      else this.#hops = [...this.#hops, ...data].slice(-KEPT)
    }
  }

  /** Another model: measures anew. */
  order(order: StopwatchOrder): void {
    this.#worker.postMessage(order, order.port === undefined ? [] : [order.port])
    this.#hops = []
  }

  /** Undefined before the first hop. */
  read(): { readonly medianMs: number; readonly lateMs: number; readonly speed: number } | undefined {
    if (this.#hops.length === 0) return undefined
    const sorted = this.#hops.toSorted((a, b) => a - b)
    const meanMs = sorted.reduce((sum, x) => sum + x, 0) / sorted.length
    return {
      medianMs: sorted[sorted.length >> 1],
      lateMs: sorted[Math.floor(0.99 * (sorted.length - 1))],
      speed: (1000 * HOP_SECONDS) / meanMs,
    }
  }

  draw(canvas: HTMLCanvasElement): void {
    const context = canvas.getContext('2d')!
    const { width, height } = fit(canvas)
    const { color } = getComputedStyle(canvas)
    context.clearRect(0, 0, width, height)
    const binMs = this.#binMs()
    const counts = new Array(BINS).fill(0)
    for (const hop of this.#hops) counts[Math.min(BINS - 1, Math.floor(hop / binMs))]++
    const most = Math.max(1, ...counts)
    const text = 11 * devicePixelRatio
    const ground = height - 1.6 * text
    const step = width / BINS
    context.fillStyle = color
    // the root keeps rare slow hops in sight
    for (const [i, count] of counts.entries()) {
      const tall = Math.sqrt(count / most) * (ground - 4)
      context.fillRect(i * step + 0.5, ground - tall, step - 1, tall)
    }
    context.fillRect(0, ground, width, 1)
    context.font = `${text}px system-ui, sans-serif`
    for (const share of [0, 0.5, 1]) {
      context.textAlign = share === 0 ? 'left' : share === 1 ? 'right' : 'center'
      const micros = (1000 * binMs * BINS * share).toFixed(0)
      context.fillText(`${micros} \u00b5s${share === 1 ? ' and more' : ''}`, width * share, height - 2)
    }
  }

  #binMs(): number {
    const usual = this.#hops.toSorted((a, b) => a - b)[Math.floor(0.9 * this.#hops.length)] ?? 0
    let binMs = FINEST_MS
    while (binMs * BINS < 2 * usual) binMs *= 2
    return binMs
  }
}
