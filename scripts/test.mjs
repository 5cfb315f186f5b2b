// `npm test`: lint, types, reference, build, then every *.test.ts in a process of its own, two at a time. In: nothing, or words that
// names of test files must contain. `--shared` adds *.shared.test.ts, which need the project's shared material; `--engines` adds
// *.engines.test.ts, which fetch other engines (200 MB, and QEMU by apt).
// The last line is `N passed, N failed`, counting single tests and the steps before them; exit code 1 if any failed.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { ensureChromium } from './chromium.mjs'
import { install, root } from './installed.mjs'

const PROCESSES = 2
const LIMIT_MS = 600_000
const FOLDERS = ['training', 'quantize', 'assembly', 'sdk', 'devices', 'bench', 'tests', 'examples']

const FURTHER = ['shared', 'engines']
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const left = FURTHER.filter((kind) => !process.argv.includes(`--${kind}`))
const totals = { passed: 0, failed: 0 }

install()
if (words.length === 0) {
  await step('lint', 'npm', ['run', '--silent', 'lint'])
  await step('types', 'npm', ['run', '--silent', 'typecheck'])
  await step('docs', 'npm', ['run', '--silent', 'docs'])
}
await step('build', 'npm', ['run', '--silent', 'build'])
const waiting = findTests()
if (waiting.some((file) => /^tests\/(browser|bundlers|engines)\/|\/page\.test/.test(file))) ensureChromium()
if (waiting.length === 0) count('no test file found', 0, 1, '')
await Promise.all(Array.from({ length: PROCESSES }, work))
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed === 0 ? 0 : 1

function findTests() {
  return FOLDERS.flatMap((folder) => list(folder))
    .filter((file) => file.endsWith('.test.ts') && !left.some((kind) => file.endsWith(`.${kind}.test.ts`)))
    .filter((file) => words.every((word) => file.includes(word)))
    .sort()
}

function list(folder) {
  try {
    const entries = readdirSync(new URL(`../${folder}/`, import.meta.url), { recursive: true })
    return entries.map((entry) => `${folder}/${String(entry).replaceAll('\\', '/')}`).filter(isOurs)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function isOurs(file) {
  return !/(^|\/)(node_modules|dist|build|out)\//.test(file)
}

async function step(name, command, args) {
  const { code, output } = await execute(command, args)
  count(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1, output)
}

async function work() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runTest(file)
}

async function runTest(file) {
  const { code, output } = await execute(process.execPath, ['--import', 'tsx', file])
  const total = numberAfter('Total', output)
  const passed = numberAfter('Passed', output) ?? 0
  const skipped = numberAfter('Skipped', output) ?? 0
  // a file that dies, or never runs its tests, is a failure of its own
  const failed = total === undefined ? 1 : Math.max(total - passed - skipped, code === 0 ? 0 : 1)
  count(file, passed, failed, output, skipped)
}

function numberAfter(title, output) {
  const lines = [...output.matchAll(new RegExp(`^\\s*${title}:\\s+(\\d+)`, 'gm'))]
  return lines.length === 0 ? undefined : lines.reduce((sum, [, number]) => sum + Number(number), 0)
}

function count(name, passed, failed, output, skipped = 0) {
  totals.passed += passed
  totals.failed += failed
  const note = skipped > 0 ? `, ${skipped} skipped` : ''
  console.log(`${failed > 0 ? 'FAIL' : '  ok'}  ${name} (${passed} passed, ${failed} failed${note})`)
  if (failed > 0) console.log(output)
}

function execute(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      timeout: LIMIT_MS,
      env: { ...process.env, NO_COLOR: '1' },
      shell: process.platform === 'win32' && command === 'npm',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
