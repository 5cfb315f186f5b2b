// Plain text tables for a terminal: title, column heads, rows of cells -> lines. First column left, the others right.

export const formatNumber = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '-'

export const formatTable = (title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = heads.map((head, c) => Math.max(head.length, ...rows.map((row) => row[c].length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ')
  return [title, line(heads), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line)].join('\n')
}
