// Cold start: fresh processes load the built package, create a denoiser and run hops until they are as fast as they get. Node's own
// start is left out. Out: the fastest of the processes, as on a machine with nothing else to do; of counts the median.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
/** Enough for V8 to compile everything that is hot. */
const HOPS = 3000
/** Hops whose median counts as the pace of a moment, and how near the final pace is near. */
const WINDOW = 25
const NEAR = 1.1

export interface ColdStart {
  /** Milliseconds: the package's modules; core, model and first hop. */
  readonly importMs: number
  readonly firstHopMs: number
  /** Hops until the median of 25 is within a tenth of the final pace, and how much slower the first 25 are. */
  readonly hopsUntilSteady: number
  readonly firstHopsRatio: number
  /** Of the process after its first hop, and at most. */
  readonly residentBytes: number
  readonly peakBytes: number
}

export function measureColdStart(model: string, processes = 7): ColdStart {
  const script = `
    const started = performance.now()
    const { Denoiser } = await import(${JSON.stringify(new URL('dist/sdk/index.js', root).href)})
    const imported = performance.now()
    const denoiser = await Denoiser.create({ model: ${JSON.stringify(model)} })
    const chunk = new Float32Array(denoiser.model.inputHop)
    denoiser.process(chunk)
    const done = performance.now()
    const resident = process.memoryUsage().rss
    const out = new Float32Array(denoiser.model.outputHop)
    const times = new Float64Array(${HOPS})
    for (let hop = 0; hop < times.length; hop++) {
      for (let i = 0; i < chunk.length; i++) chunk[i] = 0.1 * Math.sin(hop + i * i)
      const before = performance.now()
      denoiser.processInto(chunk, out)
      times[hop] = performance.now() - before
    }
    const peak = process.resourceUsage().maxRSS * 1024
    process.stdout.write(JSON.stringify([imported - started, done - imported, resident, peak, ...times]))`
  const runs = Array.from({ length: processes }, () => {
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: fileURLToPath(root) })
    const [importMs, firstHopMs, residentBytes, peakBytes, ...times] = JSON.parse(text.toString()) as number[]
    return [importMs, firstHopMs, residentBytes, peakBytes, ...paceOf(times)]
  })
  const column = (at: number) => runs.map((run) => run[at])
  return {
    importMs: Math.min(...column(0)),
    firstHopMs: Math.min(...column(1)),
    residentBytes: median(column(2)),
    peakBytes: median(column(3)),
    hopsUntilSteady: median(column(4)),
    firstHopsRatio: median(column(5)),
  }
}

/** [hops until steady, pace of the first hops over the final one] */
function paceOf(times: readonly number[]): [number, number] {
  const windows = Array.from({ length: Math.floor(times.length / WINDOW) }, (_, i) =>
    median(times.slice(i * WINDOW, (i + 1) * WINDOW)),
  )
  const final = median(windows.slice(windows.length / 2))
  return [windows.findIndex((pace) => pace <= NEAR * final) * WINDOW, windows[0] / final]
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
