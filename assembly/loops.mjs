// The innermost loops of the compiled core, by the source function they stem from. In: build/core.simd.wat, sources. Out: each
// loop's name and text, locals renamed in order of appearance, so that copies made by inlining are one; or a module in which
// every such loop counts its rounds, to see which kernel a shape runs (dispatch.test.ts).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, print, strip, walk } from './text.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = new Map()

/** 'linear.i8 tile2x4' for a place in assembly/linear.i8.ts. */
function functionAt([, file, line]) {
  if (!sources.has(file)) sources.set(file, readFileSync(join(root, file), 'utf8').split('\n'))
  const before = sources.get(file).slice(0, Number(line)).reverse()
  const head = before.find((text) => /^(export )?function /.test(text))
  return `${file.replace(/^assembly\/|\.ts$/g, '')} ${/function (\w+)/.exec(head)[1]}`
}

/** Innermost loops of a parsed module, with the node itself: [name, node]. */
function findLoops(module) {
  const found = []
  walk(module, (node) => {
    if (node[0] !== 'loop') return
    let isInnermost = true
    let place
    for (const part of node)
      walk(part, (inner) => {
        if (inner[0] === 'loop') isInnermost = false
        if (inner[0] === '@') place ??= inner
      })
    if (isInnermost) found.push([place === undefined ? 'unknown' : functionAt(place), node])
  })
  return found
}

export function readText() {
  return readFileSync(join(root, 'build/core.simd.wat'), 'utf8')
}

/** [{ name, text }] in the order of names, each text once. */
export function readLoops(text = readText()) {
  const loops = new Map(
    findLoops(parse(text)).map(([name, node]) => {
      const canonical = indent(rename(strip(node)))
      return [`${name}\n${canonical}`, { name, text: canonical }]
    }),
  )
  return [...loops.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.text < b.text ? -1 : 1))
}

/** Does it compute on vectors? */
export function isVector({ text }) {
  return /\((?:v128|[fi]\d+x\d+)\./.test(text)
}

/** What assembly/hot.wat holds. */
export function describeHotLoops(text = readText()) {
  const parts = readLoops(text)
    .filter(isVector)
    .map(({ name, text: loop }) => `;; ${name}\n${loop}`)
  return `;; The inner loops of build/core.simd.wasm that compute on vectors, by the function they stem from, locals renamed.\n;; Written by \`npm run wat\`; loops.test.ts compares.\n\n${parts.join('\n\n')}\n`
}

function rename(node, names = new Map()) {
  if (Array.isArray(node)) return node.map((part) => rename(part, names))
  if (!node.startsWith('$')) return node
  if (!names.has(node)) names.set(node, `$${names.size}`)
  return names.get(node)
}

/** Statements of a loop on lines of their own. */
function indent(node, depth = 0) {
  const line = print(node)
  const holdsStatements = ['loop', 'if', 'then', 'else', 'block'].includes(node[0])
  if (!holdsStatements) return `${' '.repeat(depth)}${line}`
  const head = node.filter((part) => !Array.isArray(part)).join(' ')
  const body = node.filter(Array.isArray).map((part) => indent(part, depth + 1))
  return `${' '.repeat(depth)}(${head}\n${body.join('\n')})`
}

/** Text of the core whose export `rounds.N` counts what the Nth of `names` has run. */
export function countingCore(text = readText()) {
  const module = parse(text)
  const names = []
  for (const [name, node] of findLoops(module)) {
    let index = names.indexOf(name)
    if (index < 0) index = names.push(name) - 1
    countReturns(node, node[1], `$rounds.${index}`)
  }
  const globals = names.flatMap((_, i) => [
    ['global', `$rounds.${i}`, ['mut', 'i32'], ['i32.const', '0']],
    ['export', `"rounds.${i}"`, ['global', `$rounds.${i}`]],
  ])
  const firstFunction = module.findIndex((part) => part[0] === 'func')
  module.splice(firstFunction, 0, ...globals)
  return { names, text: print(strip(module)) }
}

/** A round is complete where the loop is begun anew: in all loops here at one unconditional branch. */
function countReturns(node, label, global) {
  for (const [i, part] of [...node.entries()].reverse()) {
    if (!Array.isArray(part)) continue
    if (part[0] === 'br_if' && part[1] === label) throw new Error(`a loop returns by br_if: count its rounds otherwise`)
    if (part[0] === 'br' && part[1] === label)
      node.splice(i, 0, ['global.set', global, ['i32.add', ['global.get', global], ['i32.const', '1']]])
    else countReturns(part, label, global)
  }
}
