// Breaks the kernels on purpose, one way at a time, and writes MUTATIONS.md: which golden vectors noticed. Each mutation is
// one replacement in a copy of assembly/, which is built and tested there; the checkout is not touched. Minutes long.
//   node --import tsx tests/golden/mutations.ts

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Mutation {
  kind: 'sign' | 'late' | 'stale' | 'swapped' | 'edge' | 'other'
  what: string
  file: string
  from: string
  to: string
}

const change = (kind: Mutation['kind'], what: string, file: string, from: string, to: string): Mutation => ({
  kind,
  what,
  file: `assembly/${file}`,
  from,
  to,
})

const MUTATIONS = [
  change(
    'sign',
    'ssm: poles conjugated in the real part only',
    'ssm.ts',
    'q, re), w, im)',
    'q, re), f32x4.neg(w), im)',
  ),
  change('sign', 'ssm: diagonal D subtracted', 'ssm.ts', 'v128.store(y, madd(', 'v128.store(y, nmadd('),
  change(
    'sign',
    'spectrum: transform turns the other way',
    'spectrum.ts',
    'i32x4(i32.MIN_VALUE, 0, i32.MIN_VALUE, 0)',
    'i32x4(0, i32.MIN_VALUE, 0, i32.MIN_VALUE)',
  ),
  change(
    'sign',
    'tanh: sign lost beyond 0.625',
    'activation.ts',
    'const signed = v128.or(large, ',
    'const signed = large; const unused = v128.or(large, ',
  ),
  change(
    'sign',
    'norm: mean added',
    'norm.ts',
    'const d = f32x4.sub(v128.load(x), m)',
    'const d = f32x4.add(v128.load(x), m)',
  ),
  change(
    'late',
    'ssm: read before the recurrence ran',
    'ssm.ts',
    '    recur(program + op.weights0, state + op.stateAt, V, X, width, partsB === 2, positions, steps)\n    multiply(program + op.weights2, <usize>depth * VECTOR, 0, X, strideX, yn, yStride, rows, depth, columns, false)\n',
    '    multiply(program + op.weights2, <usize>depth * VECTOR, 0, X, strideX, yn, yStride, rows, depth, columns, false)\n    recur(program + op.weights0, state + op.stateAt, V, X, width, partsB === 2, positions, steps)\n',
  ),
  change('late', 'conv: one step late', 'conv.ts', 'step + j - taps + 1, taps', 'step + j - taps, taps'),
  change(
    'late',
    'delay: one step short',
    'frame.ts',
    'const late = op.parameter0\n',
    'const late = op.parameter0 - 1\n',
  ),
  change('late', 'frame: one sample late', 'frame.ts', '(start + old - past)) << 2', '(start + old - past - 1)) << 2'),
  change(
    'late',
    'overlap: sums one sample late',
    'frame.ts',
    'const on = (<usize>stride) << 2',
    'const on = (<usize>(stride - 1)) << 2',
  ),
  change(
    'late',
    'filter: history one frame late',
    'spectrum.ts',
    'op.inputStep(scratch, op.steps - 1 - i), 2',
    'op.inputStep(scratch, max(0, op.steps - 2 - i)), 2',
  ),
  change(
    'stale',
    'reset leaves the old state',
    'index.ts',
    '  memory.fill(state, 0, changetype<Program>(program).stateBytes)\n',
    '  memory.fill(state, 0, 64)\n',
  ),
  change('stale', 'ssm: half of the states not kept', 'ssm.ts', '(all >> 2) as i32', '(all >> 3) as i32'),
  change(
    'stale',
    'conv: inputs not kept',
    'conv.ts',
    '  keepLast(history, op.inputStep(scratch, 0), past, op.steps, floats)\n',
    '',
  ),
  change(
    'stale',
    'frame: history not kept',
    'frame.ts',
    '  keepLast(history, input, past, op.steps * stride, 1)\n',
    '',
  ),
  change('stale', 'overlap: sums not carried on', 'frame.ts', '    advance(x, sums, length, stride)\n', ''),
  change(
    'stale',
    'delay: what is late not kept',
    'frame.ts',
    '  keepLast(history, op.inputStep(scratch, 0), late, op.steps, floats)\n',
    '',
  ),
  change(
    'stale',
    'history of more than a hop not moved up',
    'conv.ts',
    '  copy(history, history + ((<usize>(steps * floats)) << 2), kept * floats)\n',
    '',
  ),
  change('stale', 'filter: older spectra not moved up', 'spectrum.ts', 'i >= taken; i--)', 'i >= taps; i--)'),
  change(
    'stale',
    'flag: always says received',
    'elementwise.ts',
    'changetype<StateHeader>(state).inputLost)',
    '<f32>0)',
  ),
  change(
    'swapped',
    'linear: second and third column of an 8 x 4 tile',
    'linear.f32.ts',
    'put(y + yStride, a01, LANES, sum)',
    'put(y + yStride, a02, LANES, sum)',
  ),
  change(
    'swapped',
    'linear: rows 4..7 and 8..11 of a 16 x 1 tile',
    'linear.f32.ts',
    'let w1 = w + blockBytes\n  let w2 = w + 2 * blockBytes',
    'let w1 = w + 2 * blockBytes\n  let w2 = w + blockBytes',
  ),
  change(
    'swapped',
    'linear: weights of two channels',
    'linear.f32.ts',
    'const end = x + ((<usize>depth) << 2)\n  while (x < end) {\n    const v0 = v128.load(w)\n    let u = v128.load32_splat(x)\n    a00 = madd(a00, v0, u)\n    w += VECTOR',
    'const end = x + ((<usize>depth) << 2)\n  while (x < end) {\n    const v0 = i8x16.shuffle(v128.load(w), v128.load(w), 4, 5, 6, 7, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15)\n    let u = v128.load32_splat(x)\n    a00 = madd(a00, v0, u)\n    w += VECTOR',
  ),
  change(
    'swapped',
    'mix: every group has the first one’s weights',
    'mix.ts',
    '((<usize>(g * results * positions)) << 2)',
    '0',
  ),
  change('swapped', 'ssm: positions share one state', 'ssm.ts', 'p++, before += 2 * part, v +=', 'p++, v +='),
  change(
    'swapped',
    'glu: halves exchanged',
    'elementwise.ts',
    'v128.store(y, gate(v128.load(x), v128.load(x + half)))',
    'v128.store(y, gate(v128.load(x + half), v128.load(x)))',
  ),
  change(
    'swapped',
    'glu: halves exchanged where eight channels go together',
    'elementwise.ts',
    'v128.load(x), v128.load(x, 16), v128.load(x + half), v128.load(x + half, 16))',
    'v128.load(x + half), v128.load(x + half, 16), v128.load(x), v128.load(x, 16))',
  ),
  change(
    'swapped',
    'glu: halves exchanged in the last 1..3 channels',
    'elementwise.ts',
    'gate(loadPart(x, n), loadPart(x + half, n))',
    'gate(loadPart(x + half, n), loadPart(x, n))',
  ),
  change(
    'swapped',
    'add: one gain for all channels',
    'elementwise.ts',
    'y += VECTOR, g += VECTOR) {',
    'y += VECTOR) {',
  ),
  change(
    'swapped',
    'concat: second input first row only',
    'elementwise.ts',
    'b, second, second, rows)',
    'b, 0, second, rows)',
  ),
  change(
    'swapped',
    'slice: from channel 0',
    'elementwise.ts',
    '((<usize>op.parameter0) << 2)\n  const rows',
    '((<usize>0) << 2)\n  const rows',
  ),
  change(
    'swapped',
    'filter: taps in reverse',
    'spectrum.ts',
    'filterTap(x, M, ',
    'filterTap(x, M + (<usize>(taps - 1 - 2 * i)) * COMPLEX, ',
  ),
  change('swapped', 'irfft: even and odd samples exchanged', 'spectrum.ts', '((skip + i) ^ 1)', '(skip + i)'),
  change(
    'edge',
    'steps before the stream are computed',
    'program.ts',
    'const from = clampStep(-first, steps)',
    'const from = 0',
  ),
  change(
    'edge',
    'steps after the stream are computed',
    'program.ts',
    'max(from, clampStep(endIndex(state, steps) - first, steps))',
    'steps',
  ),
  change('edge', 'results outside the stream are not cleared', 'program.ts', '    zero(result, from * floats)\n', ''),
  change(
    'edge',
    'bandconv: padding one position short',
    'linear.f32.ts',
    '(parameters >>> 16) & 255',
    '((parameters >>> 16) & 255) - 1',
  ),
  change(
    'edge',
    'bandconv: cut windows keep the first weights',
    'linear.f32.ts',
    '<usize>(skip * channels) * VECTOR',
    '<usize>0 * VECTOR',
  ),
  change(
    'edge',
    'conv: bands cut at the wrong end',
    'conv.ts',
    'const firstBand = max(0, reach - p)',
    'const firstBand = max(0, reach - p - 1)',
  ),
  change(
    'edge',
    'gather: -1 reads position 0',
    'elementwise.ts',
    'if (first < 0) zero(y, channels)',
    'if (first < 0) copy(y, x, channels)',
  ),
  change(
    'swapped',
    'norm: second of four rows takes the mean of the third',
    'norm.ts',
    'v128.shuffle<i32>(mean, mean, 1, 1, 1, 1)',
    'v128.shuffle<i32>(mean, mean, 2, 2, 2, 2)',
  ),
  change(
    'other',
    'norm: eps left out of four rows',
    'norm.ts',
    'f32x4.sqrt(f32x4.add(spread, splat(eps)))',
    'f32x4.sqrt(spread)',
  ),
  change('other', 'norm: eps left out', 'norm.ts', 'sqrt<f32>(spread + eps)', 'sqrt<f32>(spread)'),
  change(
    'other',
    'norm: unbiased variance',
    'norm.ts',
    'centre(x, y, channels, mean) / <f32>channels',
    'centre(x, y, channels, mean) / <f32>(channels - 1)',
  ),
  change(
    'other',
    'logpower: eps left out',
    'spectrum.ts',
    'madd(f32x4.mul(re, re), im, im), eps))',
    'madd(f32x4.mul(re, re), im, im), splat(1e-30)))',
  ),
  change(
    'other',
    'silu: sigmoid alone',
    'activation.ts',
    'gatePair(at, at + VECTOR, x0, x1, x0, x1)',
    'gatePair(at, at + VECTOR, constant(ONE), constant(ONE), x0, x1)',
  ),
  change(
    'other',
    'ssm: slow poles rounded (lambda in f32, x lambda)',
    'ssm.ts',
    'v128.store(x, f32x4.add(re, changeReal(vr, q, w, re, im)))',
    'v128.store(x, f32x4.add(f32x4.mul(f32x4.sub(splat(1.0), q), re), nmadd(vr, w, im)))',
  ),
  change('other', 'quiet values cut at 2^-20', 'lanes.ts', '1.0842021724855044e-19', '9.5367431640625e-7'),
]

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mutations-'))

function restore(): void {
  for (const path of ['assembly', 'asconfig.json', 'package.json'])
    cpSync(join(root, path), join(folder, path), { recursive: true })
}

/** Names of the golden tests that fail with what lies in the folder; the text of the failure where it does not build. */
function findFailures(): string[] {
  const build = spawnSync('node', ['assembly/build.mjs', 'simd'], { cwd: folder, encoding: 'utf8' })
  if (build.status !== 0) throw new Error(`does not build: ${build.stderr.slice(0, 400)}`)
  const run = spawnSync('node', ['--import', 'tsx', 'tests/golden/golden.test.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, CORE_FOLDER: join(folder, 'build') },
  })
  return [...run.stdout.matchAll(/FAIL\s+"simd ([^"]+)"/g)].map(([, name]) => name)
}

function tryMutation({ file, from, to }: Mutation): string[] {
  const path = join(folder, file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, source.replace(from, to))
  const failures = findFailures()
  writeFileSync(path, source)
  return failures
}

function describe(failures: string[]): string {
  if (failures.length === 0) return '**none**'
  const single = failures.filter((name) => name.startsWith('op-')).map((name) => name.slice(3))
  const whole = failures.filter((name) => !name.startsWith('op-'))
  const shown = single.slice(0, 5).join(', ')
  const more = single.length > 5 ? ` and ${single.length - 5} more ops` : ''
  return [whole.join(', '), shown ? `op: ${shown}${more}` : ''].filter((part) => part !== '').join('; ')
}

restore()
for (const { file, from, what } of MUTATIONS) {
  if (!readFileSync(join(folder, file), 'utf8').includes(from))
    throw new Error(`${what}: ${file} no longer holds ${JSON.stringify(from)}; mend the list`)
}
mkdirSync(join(folder, 'build'), { recursive: true })
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
const intact = findFailures()
if (intact.length > 0) throw new Error(`the intact core fails already: ${intact.join(', ')}`)
const rows: string[] = []
let missed = 0
for (const mutation of MUTATIONS) {
  const failures = tryMutation(mutation)
  if (failures.length === 0) missed++
  rows.push(`| ${mutation.kind} | ${mutation.what} | ${failures.length} | ${describe(failures)} |`)
  console.log(rows[rows.length - 1])
}
const commit = execFileSync('git', ['log', '-1', '--format=%h', '--', 'assembly'], {
  cwd: root,
  encoding: 'utf8',
}).trim()
writeFileSync(
  fileURLToPath(new URL('./MUTATIONS.md', import.meta.url)),
  `# Kernels broken on purpose

Each row is one change to the kernels (core ${commit}, SIMD build) and the golden tests that then fail; with the intact core
none does. Written by \`node --import tsx tests/golden/mutations.ts\`, which holds the exact changes.
${MUTATIONS.length - missed} of ${MUTATIONS.length} are caught.

| kind | change | failing | which |
|---|---|---|---|
${rows.join('\n')}
`,
)
rmSync(folder, { recursive: true })
