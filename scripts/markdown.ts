// Tables in Markdown files. In: cells as text; a page with `<!-- table: NAME -->` and `<!-- end -->`. Out: the page with what is
// between them written anew.

import { readFileSync, writeFileSync } from 'node:fs'

export function markdown(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---|' : '--:|')).join('')}`, ...body.map(line)].join('\n')
}

function replaceBlock(page: string, name: string, content: string): string {
  const [open, close] = [`<!-- table: ${name} -->`, '<!-- end -->']
  const from = page.indexOf(open)
  const to = page.indexOf(close, from)
  if (from < 0 || to < 0) throw new Error(`no block "${open} ... ${close}"`)
  // a table next to a comment would be part of it for Markdown
  return `${page.slice(0, from + open.length)}\n\n${content}\n\n${page.slice(to)}`
}

/** In: the tables of a page by name. */
export function writeTables(file: URL, tables: { readonly [name: string]: string }): void {
  const page = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    Object.entries(tables).reduce((text, [name, table]) => replaceBlock(text, name, table), page),
  )
}
