// Cold start: a fresh process loads the built package, creates a denoiser and runs one hop. Node's own start is left out.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)

export interface ColdStart {
  /** Milliseconds, medians of the fresh processes: the package's modules; core, model and first hop. */
  readonly importMs: number
  readonly firstHopMs: number
  readonly residentBytes: number
}

export function measureColdStart(model: string, processes = 5): ColdStart {
  const script = `
    const started = performance.now()
    const { Denoiser } = await import(${JSON.stringify(new URL('dist/sdk/index.js', root).href)})
    const imported = performance.now()
    const denoiser = await Denoiser.create({ model: ${JSON.stringify(model)} })
    denoiser.process(new Float32Array(denoiser.model.inputHop))
    const done = performance.now()
    process.stdout.write(JSON.stringify([imported - started, done - imported, process.memoryUsage().rss]))`
  const runs = Array.from({ length: processes }, () => {
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: fileURLToPath(root) })
    return JSON.parse(text.toString()) as number[]
  })
  const median = (at: number) => runs.map((run) => run[at]).sort((a, b) => a - b)[processes >> 1]
  return { importMs: median(0), firstHopMs: median(1), residentBytes: median(2) }
}
