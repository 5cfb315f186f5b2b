// Any denoiser that a command line can run: `run:COMMAND` is called as COMMAND IN_DIR OUT_DIR on a folder of 16 kHz float WAVs
// and must write files of the same names, aligned, to OUT_DIR (for instance `run:python3 -m training.enhance state.pt`).
// All clips of a task go through one call, because starting such a program costs more than a clip.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRecording, SAMPLE_RATE } from '../sources.ts'
import { writeWavFloat } from '../wav.ts'
import type { System } from './system.ts'

export const PREFIX = 'run:'

const fitLength = (x: Float32Array, length: number): Float32Array => {
  const y = new Float32Array(length)
  y.set(x.subarray(0, length))
  return y
}

const runOver = (command: string, inputs: readonly Float32Array[]): Float32Array[] => {
  const folder = mkdtempSync(join(tmpdir(), 'quality-run-'))
  const [inDir, outDir] = [join(folder, 'in'), join(folder, 'out')]
  const names = inputs.map((_, i) => `${String(i).padStart(4, '0')}.wav`)
  try {
    mkdirSync(inDir)
    mkdirSync(outDir)
    for (const [i, samples] of inputs.entries())
      writeFileSync(join(inDir, names[i]), writeWavFloat({ samples, sampleRate: SAMPLE_RATE }))
    // A shell, so that the command may carry options and quotes; the folders are passed as its last words.
    const done = spawnSync(`${command} "$IN_DIR" "$OUT_DIR"`, {
      shell: true,
      encoding: 'utf8',
      env: { ...process.env, IN_DIR: inDir, OUT_DIR: outDir },
    })
    const missing = names.find((name) => !existsSync(join(outDir, name)))
    if (done.status !== 0 || missing)
      throw new Error(
        `COMMAND_FAILED: ${command}: status ${done.status}, ${missing ?? 'nothing'} missing; it must write OUT_DIR/<name>.wav\n${done.stderr}`,
      )
    return names.map((name, i) => fitLength(readRecording(join(outDir, name)).samples, inputs[i].length))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const openCommand = (command: string): System => ({
  name: command.split(/[\s/]+/).at(-1) ?? command,
  enhance: async (x) => runOver(command, [x])[0],
  enhanceAll: async (inputs) => runOver(command, inputs),
})
