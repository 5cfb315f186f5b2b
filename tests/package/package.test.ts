// The package as a stranger gets it: what `npm pack` holds, what publint and "are the types wrong" say of it, and an outside
// project that installs the tarball, type-checks against it and runs.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installOutside, npmInstall, type Packed, pack, root, run } from './outside.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Paths a package may hold; tests/budget.test.ts has what it may weigh. */
const EXPECTED =
  /^(dist\/|build\/core\.(simd|relaxed|scalar)\.wasm$|examples\/clip\/|(sdk|devices|quantize|docs)\/.*\.md$|(package\.json|LICENSE|NOTICE|(README|SECURITY|CHANGELOG)\.md)$)/
/** What its Markdown may point to without holding it: of use in a checkout only, or large. */
const CHECKOUT_ONLY = /^(assembly|bench|examples|tests|training|docs\/images)\/|^CONTRIBUTING\.md$/
/** With all that it depends on: for boards with small disks. */
const MAX_INSTALLED_BYTES = 10_000_000
/** The command line is one file, which has all that it needs. */
const UNWANTED = /\.test\.|(^|\/)(tests|training|bench)\/|\.map$|^dist\/(devices|sdk\/cli\/(?!index\.js$))/
/** Below: declarations of nothing (`export {}`), which are all alike. */
const SMALL_BYTES = 1000
/** Without types of their own: bytes that tools only copy. */
const ASSETS = [
  'core.simd.wasm',
  'core.relaxed.wasm',
  'core.scalar.wasm',
  'models/base.ssm',
  'models/lite.ssm',
  'models/hq.ssm',
  'models/nano.ssm',
  'worklet/processor.js',
  'package.json',
]

/** Run by Node in the outside project: each model by its name and by what it is imported by. Out: names of those that are one. */
const MODELS_BY_IMPORT = `
import { loadModel, MODELS } from 'attenuate-edge'
const names = []
for (const [name, { file }] of Object.entries(MODELS)) {
  const imported = await loadModel(new URL(import.meta.resolve('attenuate-edge/models/' + file)))
  if (imported.model.sha256 === (await loadModel(name)).model.sha256) names.push(imported.model.card.name)
}
console.log(JSON.stringify(names))`

const test = suite<{ folder: string; packed: Packed; tarball: string }>('package')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'package-'))
  context.packed = pack(context.folder)
  context.tarball = join(context.folder, context.packed.filename)
})
test.after(({ folder }) => rmSync(folder, { recursive: true }))

function bytesIn(folder: string): number {
  const paths = readdirSync(folder, { recursive: true }).map((path) => statSync(join(folder, String(path))))
  return paths.reduce((sum, path) => sum + (path.isFile() ? path.size : 0), 0)
}

test('holds what a user needs and nothing else', ({ packed }) => {
  const paths = packed.files.map(({ path }) => path)
  assert.equal(
    paths.filter((path) => !EXPECTED.test(path) || UNWANTED.test(path)),
    [],
  )
  for (const needed of ['LICENSE', 'NOTICE', 'README.md', 'dist/models/base.bin', 'build/core.simd.wasm'])
    assert.ok(paths.includes(needed), needed)
})

test('holds nothing twice', ({ packed }) => {
  const held = new Map<string, string>()
  const twice: string[] = []
  for (const { path } of packed.files) {
    const bytes = readFileSync(join(root, path))
    if (bytes.length < SMALL_BYTES) continue
    const hash = createHash('sha256').update(bytes).digest('hex')
    if (held.has(hash)) twice.push(`${held.get(hash)}, ${path}`)
    held.set(hash, path)
  }
  assert.equal(twice, [])
})

test('every file that the exports map names is in it', ({ packed }) => {
  const paths = new Set(packed.files.map(({ path }) => `./${path}`))
  const named: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value === 'string') named.push(value)
    else for (const inner of Object.values(value as object)) visit(inner)
  }
  visit(manifest.exports)
  assert.equal(
    named.filter((path) => !path.includes('*') && !paths.has(path)),
    [],
  )
})

test('what a user is told to install beside it is the package that the tests run with, under the name it has on npm', () => {
  for (const name of Object.keys(manifest.peerDependencies)) {
    const installed = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
    assert.is(installed.name, name) // an alias would be a name that anybody may register
    assert.ok(manifest.devDependencies[name], name)
    for (const page of ['README.md', 'sdk/webgpu/README.md'])
      assert.match(readFileSync(join(root, page), 'utf8'), new RegExp(`\`(npm install )?${name}\``), page)
  }
})

test('its Markdown points to what it holds, or to what only a checkout has', ({ packed }) => {
  const paths = packed.files.map(({ path }) => path)
  const isHeld = (target: string) => paths.some((path) => path === target || path.startsWith(`${target}/`))
  const astray = paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => linksOf(path).map((target) => ({ path, target })))
    .filter(({ target }) => !isHeld(target) && !(CHECKOUT_ONLY.test(target) && existsSync(join(root, target))))
  assert.equal(astray, [])
})

/** Relative ones, from the root of the package. */
function linksOf(path: string): string[] {
  const links = readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)
  return [...links]
    .map(([, link]) => link.replace(/#.*/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
    .map((link) => normalize(join(path, '..', link)))
}

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: root, strict: true })
  assert.equal(
    messages.map((message) => formatMessage(message, manifest)),
    [],
  )
})

test('the types are not wrong', ({ tarball }) => {
  const tool = join(root, 'node_modules', '.bin', 'attw')
  const args = [tarball, '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', ...ASSETS]
  run(tool, args, root)
})

test('an outside project installs it, type-checks and runs', ({ folder, tarball }) => {
  const project = installOutside(folder, tarball)
  const installed = bytesIn(join(project, 'node_modules'))
  assert.ok(installed <= MAX_INSTALLED_BYTES, `${installed} bytes with dependencies`)
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const libraries = ['--target', 'es2022', '--lib', 'es2023,dom,dom.iterable,esnext.disposable']
  const options = ['--strict', '--outDir', 'out', ...libraries, 'main.ts', 'worklet.ts']
  // as bundlers have it, without the types of Node; then as Node has it, every declaration checked
  run(
    compiler,
    ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck', '--types', '', ...options],
    project,
  )
  npmInstall(project, '@types/node@20')
  run(compiler, ['--module', 'nodenext', '--skipLibCheck', 'false', '--types', 'node', ...options], project)
  const said = JSON.parse(run(process.execPath, ['out/main.js'], project))
  assert.equal({ ...said, latencyMs: 0 }, { samples: 48000, samplesIn: 48000, latencyMs: 0, refused: 'DISPOSED' })
  assert.ok(said.latencyMs > 16 && said.latencyMs < 25, said.latencyMs)
  const cli = join(project, 'node_modules', '.bin', 'attenuate')
  const clip = join(project, 'node_modules', 'attenuate-edge', 'examples', 'clip', 'noisy.wav')
  run(cli, ['denoise', clip, 'clean.wav'], project)
  assert.is(statSync(join(project, 'clean.wav')).size, statSync(clip).size)
  const program = ['--input-type=module', '--eval', MODELS_BY_IMPORT]
  assert.equal(JSON.parse(run(process.execPath, program, project)), ['base', 'lite', 'hq', 'nano'])
})

test.run()
