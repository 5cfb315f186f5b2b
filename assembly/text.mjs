// WebAssembly text as nested arrays of words, and back: for what reads or rewrites the compiled core (scalar.mjs, loops.mjs).

/** Text -> nested arrays; comments are left out, but where the source lies (`;;@ file:line:column`) becomes ['@', file, line]. */
export function parse(text) {
  const stack = [[]]
  for (const [token] of text.matchAll(/;;[^\n]*|"(?:[^"\\]|\\.)*"|[()]|[^\s()]+/g)) {
    if (token === '(') stack.push([])
    else if (token === ')') {
      const list = stack.pop()
      stack.at(-1).push(list)
    } else if (token.startsWith(';;')) {
      const place = /^;;@ (.+):(\d+):\d+$/.exec(token)
      if (place !== null) stack.at(-1).push(['@', place[1], place[2]])
    } else stack.at(-1).push(token)
  }
  return stack[0].find((node) => node[0] === 'module')
}

/** On one line. */
export function print(node) {
  return Array.isArray(node) ? `(${node.map(print).join(' ')})` : node
}

/** Every list, parents first. */
export function walk(node, visit) {
  if (!Array.isArray(node)) return
  visit(node)
  for (const part of node) walk(part, visit)
}

/** The same without places. */
export function strip(node) {
  if (!Array.isArray(node)) return node
  return node.filter((part) => part[0] !== '@' || !Array.isArray(part)).map(strip)
}
