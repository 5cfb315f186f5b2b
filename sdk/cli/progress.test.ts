// The progress bar as a terminal shows it: lines above it stay, and so does the terminal itself, however the process ends.

import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('progress')

/** Of a process whose standard error is taken for a terminal. */
function run(statements: string) {
  const source = `
    process.stderr.isTTY = true
    const { showProgress } = await import('${new URL('progress.ts', import.meta.url)}')
    const bar = showProgress('working', 2)
    ${statements}`
  return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], { encoding: 'utf8' })
}

/** The rows of a terminal that understands what a bar needs: where the cursor goes, what is cleared. */
function rowsOf(output: string): string[] {
  const rows: string[] = ['']
  let [x, y, kept] = [0, 0, [0, 0]]
  const visible = output.replaceAll('\x1b', '␛')
  for (const [piece, column] of visible.matchAll(/␛\[(\d*)[GK]|␛\[\?\d+[hl]|␛[78]|[\s\S]/g)) {
    if (piece === '\n') [x, y] = [0, y + 1]
    else if (piece === '\r') x = 0
    else if (piece === '␛7') kept = [x, y]
    else if (piece === '␛8') [x, y] = kept
    else if (piece.endsWith('G')) x = Number(column) - 1
    else if (piece.endsWith('K')) rows[y] = column === '2' ? '' : rows[y].slice(0, x)
    else if (!piece.startsWith('␛')) rows[y] = rows[y].slice(0, x) + piece + rows[y].slice(++x)
    rows[y] ??= ''
  }
  return rows
}

test('lines stay above the bar, which leaves nothing behind', () => {
  const { stderr } = run("bar.say('first'); bar.update(1); bar.say('second'); bar.update(2); bar.stop()")
  assert.match(stderr, /working .* 0%/)
  assert.equal(rowsOf(stderr), ['first', 'second', ''])
})

test('a bar that an interrupt ends leaves the cursor and line wrapping of the terminal alone', () => {
  const { signal, stderr } = run("process.kill(process.pid, 'SIGINT')")
  assert.is(signal, 'SIGINT')
  assert.match(stderr, /working .* 0%/)
  assert.is(stderr.includes('\x1b[?'), false, JSON.stringify(stderr))
})

test.run()
