// What the compiled core may hold: no way to allocate or to leave; inner loops on vectors without a call, a move of blocks or
// scalar arithmetic; few inner loops on single numbers, each named here. assembly/hot.wat shows the loops as they are now.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
// @ts-expect-error: plain JavaScript, shared with the build
import { describeHotLoops, isVector, readLoops, readText } from './loops.mjs'

interface Loop {
  readonly name: string
  readonly text: string
}

const text: string = readText()
const loops: Loop[] = readLoops(text)
const names = (some: Loop[]) => [...new Set(some.map(({ name }) => name))]
/** Kernels whose loops must be there, or the reader above has gone blind. */
const KERNELS = [
  'linear.f32 tile2x4',
  'linear.i8 tile2x4',
  'linear.i4 tile2x4',
  'mix.i8 tile2x4',
  'mix tile4x2',
  'ssm.i8 recur',
  'ssm stepReal',
  'norm spreadsOf',
  'activation silu',
  'elementwise glu',
  'spectrum twoPasses',
  'quantise roundRow',
  'resample dot',
]

test('hot kernels are among the loops', () => {
  const vectors = names(loops.filter(isVector))
  for (const name of KERNELS) assert.ok(vectors.includes(name), name)
})

test('nothing allocates, nothing leaves: no growth, no table, no imported function', () => {
  assert.not.match(text, /memory\.grow|call_indirect|call_ref|\(table|\(import [^\n]*\(func/)
  assert.match(text, /\(import "env" "memory" \(memory/)
})

test('loops on vectors: no call, no block move, no scalar arithmetic of floats', () => {
  for (const { name, text: loop } of loops.filter(isVector)) {
    assert.not.match(loop, /\((call|memory\.)/, name)
    assert.not.match(loop, /\(f(32|64)\.(?!load|const)/, name)
  }
})

test('loops on single numbers: rows of one and two numbers, an index, an odd end; the rest call kernels', () => {
  const scalar = loops.filter((loop) => !isVector(loop) && !loop.text.includes('(call'))
  assert.equal(names(scalar), ['elementwise copyRows', 'elementwise gather', 'spectrum unfold'])
})

test('no rounding instruction: ARMv7 has none and V8 calls a function for each lane there', () => {
  assert.not.match(text, /\.(nearest|ceil|floor|trunc)\b/)
})

test('assembly/hot.wat is what is compiled', () => {
  const kept = readFileSync(new URL('hot.wat', import.meta.url), 'utf8')
  assert.ok(kept === describeHotLoops(text), 'kernels have changed: look at them, then `npm run wat`')
})

test.run()
