// PESQ wide-band (ITU-T P.862.2) by a local build of the Python module `pesq`: clip pairs (clean, enhanced) -> MOS-LQO, 1.0 to 4.64.
// Only where PESQ_PATH names the folder that holds the module (PESQ_PYTHON: the interpreter it was built for, default python3);
// the standard's reference code may not be shipped, so there is no PESQ of our own.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pair {
  clean: Float32Array
  enhanced: Float32Array
}

/** Reads pairs of raw f32 file names from stdin, prints one score or null (no speech found) for each. */
const PROGRAM = `
import json, os, sys
sys.path.insert(0, os.environ['PESQ_PATH'])
import numpy
from pesq import pesq
def score(pair):
    clean, enhanced = (numpy.fromfile(name, '<f4') for name in pair)
    try: return float(pesq(16000, clean, enhanced, 'wb'))
    except Exception: return None
print(json.dumps([score(pair) for pair in json.load(sys.stdin)]))
`

export const hasPesq = (): boolean => Boolean(process.env.PESQ_PATH)

const writeRaw = (path: string, x: Float32Array): string => {
  writeFileSync(path, new Uint8Array(x.buffer, x.byteOffset, x.byteLength))
  return path
}

/** NaN for every pair where there is no PESQ build, and for clips without a detectable utterance. */
export const measurePesq = (pairs: readonly Pair[]): number[] => {
  if (!hasPesq()) return pairs.map(() => Number.NaN)
  const folder = mkdtempSync(join(tmpdir(), 'quality-pesq-'))
  try {
    const names = pairs.map(({ clean, enhanced }, i) => [
      writeRaw(join(folder, `${i}.clean`), clean),
      writeRaw(join(folder, `${i}.enhanced`), enhanced),
    ])
    const python = process.env.PESQ_PYTHON ?? 'python3'
    const done = spawnSync(python, ['-c', PROGRAM], { input: JSON.stringify(names), encoding: 'utf8' })
    if (done.status !== 0)
      throw new Error(`PESQ_FAILED: ${done.error ?? done.stderr}; check PESQ_PATH and PESQ_PYTHON, or unset PESQ_PATH`)
    return (JSON.parse(done.stdout) as (number | null)[]).map((v) => v ?? Number.NaN)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
