// The mixes alone, as WAV: DIR/noisy/*.wav and DIR/clean/*.wav (16 kHz, 16 bit, aligned; names carry noise and SNR).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { DEFAULT_PLAN, makeMixes } from './mixes.ts'
import { type MixOptions, runProgram, withMixOptions } from './program.ts'
import { readSources, SAMPLE_RATE } from './sources.ts'
import { writeWav16 } from './wav.ts'

const program = withMixOptions(new Command('writeMixes.ts').requiredOption('--out <dir>', 'for noisy/ and clean/'))

await runProgram(program, () => {
  const { out, sources, count, seed } = program.parse().opts<MixOptions & { out: string }>()
  const mixes = makeMixes(readSources(sources), { ...DEFAULT_PLAN, count, seed })
  for (const kind of ['noisy', 'clean'] as const) {
    const folder = join(out, kind)
    mkdirSync(folder, { recursive: true })
    for (const mix of mixes)
      writeFileSync(join(folder, `${mix.name}.wav`), writeWav16({ samples: mix[kind], sampleRate: SAMPLE_RATE }))
  }
  console.log(`${mixes.length} mixes in ${out}`)
})
