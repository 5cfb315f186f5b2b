// The page about a model: well-formed, complete, harmless whatever the names in the file.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeCheckpoint } from './checkpoint.ts'
import { compileCheckpoint } from './compile.ts'
import { formatInspection, inspectModel } from './inspect.ts'
import { decodeModel } from './modelfile.ts'
import { drawPage, wrapPage } from './page.ts'
import { describeSpectral, describeUpsampler, fillNetwork } from './specimens.ts'
import { formatSystems, inspectSystems } from './systems.ts'

function draw(bytes: Uint8Array): string {
  const model = decodeModel(bytes)
  return drawPage(inspectModel(model), inspectSystems(bytes, model))
}

/** Every element opened is closed, in order. */
function checkNesting(svg: string): void {
  const open: string[] = []
  for (const [, end, name, self] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (end) assert.is(open.pop(), name)
    else if (!self) open.push(name)
  }
  assert.equal(open, [])
}

test('every op and every layer is on the page', () => {
  for (const json of [describeSpectral(), describeUpsampler()]) {
    const bytes = compileCheckpoint(fillNetwork(json))
    const svg = draw(bytes)
    checkNesting(svg)
    const model = decodeModel(bytes)
    for (const name of model.card.ops!) assert.ok(svg.includes(`>${name}<`), name)
    const layers = model.records.filter(({ task }) => task.kind === 'ssm')
    assert.is(svg.split('Hankel singular values').length - 1, layers.length)
    assert.not.match(svg, /NaN|Infinity|undefined/)
    assert.is(formatSystems(inspectSystems(bytes, model)).length, layers.length + 2)
  }
})

test('a pole that forgets at once has its place', () => {
  const checkpoint = fillNetwork(describeUpsampler())
  checkpoint.tensors.get('memory.A')!.data.set([1e4, 0])
  const svg = draw(compileCheckpoint(checkpoint))
  checkNesting(svg)
  assert.not.match(svg, /NaN|Infinity/)
})

test('names cannot break out', () => {
  const { text, tensors } = fillNetwork(describeUpsampler())
  const json = { ...JSON.parse(text), name: '<script>alert("&")</script>' }
  const svg = draw(compileCheckpoint(makeCheckpoint(JSON.stringify(json), tensors)))
  assert.not.match(svg, /<script/)
  assert.match(svg, /&lt;script&gt;alert\(&quot;&amp;&quot;\)/)
  checkNesting(svg)
  assert.match(wrapPage(svg, '<b>'), /<title>&lt;b&gt;<\/title>/)
})

test('names reach a terminal as one short line, whatever the card says they are', () => {
  const checkpoint = fillNetwork(describeUpsampler())
  for (const name of ['\u001b[2Jgone\nagain', { toString: 1 }]) {
    const { records } = decodeModel(compileCheckpoint(checkpoint))
    const bytes = compileCheckpoint(checkpoint, { name, ops: records.map(() => name) })
    const model = decodeModel(bytes)
    const inspection = inspectModel(model)
    const lines = [...formatInspection(inspection).split('\n'), ...formatSystems(inspectSystems(bytes, model))]
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be there
    assert.not.match(lines.join(''), /[\u0000-\u001f]|^again/)
    assert.is(lines.length, records.length + 6 + 3)
  }
})

test('a network without state has a page too', () => {
  const port = { rate: 8000, hop: 4 }
  const graph = [{ name: 'output', op: 'act', in: ['input'], kind: 'tanh' }]
  const svg = draw(compileCheckpoint(fillNetwork({ version: 1, name: 'none', input: port, output: port, graph })))
  checkNesting(svg)
  assert.not.match(svg, /State-space/)
})

test.run()
