// `npm test`: lint, types, reference, build, then every *.test.ts in a process of its own, two at a time. In: nothing, or words that
// names of test files must contain. `--shared` adds *.shared.test.ts, which need the project's shared material; `--engines` adds
// *.engines.test.ts, which fetch other engines (200 MB, and QEMU by apt).
// Out: a line per step and file with its seconds, a table by kind (kinds.mjs), and as the last line `N passed, N failed`,
// counting single tests and the steps before them; exit code 1 if any failed. Nothing is tried twice.

import { spawn } from 'node:child_process'
import { install, root } from './installed.mjs'
import { kindOf, summaryLines } from './kinds.mjs'
import { prepareSystem } from './system.mjs'
import { listTestFiles } from './testFiles.mjs'

const PROCESSES = 2
/** Of one file: three times what the longest takes on two busy cores. */
const LIMIT_MS = 1_200_000

const FURTHER = ['shared', 'engines']
const given = process.argv.slice(2)
const words = given.filter((word) => !word.startsWith('-'))
const asked = given.filter((word) => word.startsWith('-')).map((option) => option.replace(/^--/, ''))
if (asked.some((kind) => !FURTHER.includes(kind))) explain()
const left = FURTHER.filter((kind) => !asked.includes(kind))
const results = []

install()
if (words.length === 0) {
  await step('lint', 'npm', ['run', '--silent', 'lint'])
  await step('types', 'npm', ['run', '--silent', 'typecheck'])
  await step('docs', 'npm', ['run', '--silent', 'docs'])
}
await step('build', 'npm', ['run', '--silent', 'build'])
const waiting = findTests()
prepareSystem(new Set(waiting.map(kindOf)))
if (waiting.length === 0) count({ name: 'no test file found', passed: 0, failed: 1, seconds: 0, output: '' })
await Promise.all(Array.from({ length: PROCESSES }, work))
const [passed, failed] = ['passed', 'failed'].map((key) => results.reduce((sum, result) => sum + result[key], 0))
for (const line of ['', ...summaryLines(results), '']) console.log(line)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** A misspelt option would leave out what it asks for. */
function explain() {
  const isHelp = asked.includes('help')
  console[isHelp ? 'log' : 'error'](
    `npm test [-- ${FURTHER.map((kind) => `[--${kind}]`).join(' ')} [part of a test file's name ...]]`,
  )
  process.exit(isHelp ? 0 : 2)
}

/** Those of FURTHER first: they are the longest, and none should be left running alone at the end. */
function findTests() {
  const isFurther = (file) => FURTHER.some((kind) => file.endsWith(`.${kind}.test.ts`))
  return listTestFiles()
    .filter((file) => !left.some((kind) => file.endsWith(`.${kind}.test.ts`)))
    .filter((file) => words.every((word) => file.includes(word)))
    .sort((a, b) => Number(isFurther(b)) - Number(isFurther(a)))
}

async function step(name, command, args) {
  const { code, output, seconds } = await execute(command, args)
  count({ name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds, output })
}

async function work() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runTest(file)
}

async function runTest(file) {
  const { code, output, seconds } = await execute(process.execPath, ['--import', 'tsx', file])
  const total = numberAfter('Total', output)
  const passed = numberAfter('Passed', output) ?? 0
  const skipped = numberAfter('Skipped', output) ?? 0
  // a file that dies, or never runs its tests, is a failure of its own
  const failed = total === undefined ? 1 : Math.max(total - passed - skipped, code === 0 ? 0 : 1)
  count({ name: file, passed, failed, skipped, seconds, output })
}

function numberAfter(title, output) {
  const lines = [...output.matchAll(new RegExp(`^\\s*${title}:\\s+(\\d+)`, 'gm'))]
  return lines.length === 0 ? undefined : lines.reduce((sum, [, number]) => sum + Number(number), 0)
}

function count({ name, passed, failed, skipped = 0, seconds, output }) {
  results.push({ name, passed, failed, seconds })
  const note = skipped > 0 ? `, ${skipped} skipped` : ''
  console.log(
    `${failed > 0 ? 'FAIL' : '  ok'}  ${name} (${passed} passed, ${failed} failed${note}; ${seconds.toFixed(1)} s)`,
  )
  if (failed > 0) console.log(output)
}

function execute(command, args) {
  const start = performance.now()
  return new Promise((resolve) => {
    const end = (result) => resolve({ ...result, seconds: (performance.now() - start) / 1000 })
    const child = spawn(command, args, {
      cwd: root,
      timeout: LIMIT_MS,
      env: { ...process.env, NO_COLOR: '1' },
      shell: process.platform === 'win32' && command === 'npm',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    child.on('error', (error) => end({ code: 1, output: error.message }))
    child.on('close', (code) => end({ code: code ?? 1, output }))
  })
}
