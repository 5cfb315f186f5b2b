// Rows of text in columns. In: rows of cells, the first row being titles. Out: lines, each column as wide as its widest
// cell, those listed in `rightAligned` set to the right.

export function alignColumns(rows: readonly string[][], rightAligned: readonly number[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        rightAligned.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  )
}
