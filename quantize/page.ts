// One page about a model, for people: what it costs and where, and what every state-space layer remembers. In: the
// inspection and its systems. Out: SVG text that needs nothing else; per layer three panels: poles by frequency and time
// constant (both logarithmic), Hankel singular values and gain over frequency (both in dB).

import type { InspectedOp, Inspection } from './inspect.ts'
import { type InspectedSystem, isRealPole } from './systems.ts'

const WIDTH = 1240
const MARGIN = 32
const ROW = 15
const PANEL_WIDTH = 290
const PANEL_HEIGHT = 120
const PANEL_GAP = 52
const LAYER_HEIGHT = 190
const LEGEND_WIDTH = 196
const INK = '#1d2733'
const PALE = '#8a94a0'
const GRID = '#e3e7ec'
const ACCENT = '#0f6fa8'
const WARM = '#c4501b'
const SHOWN_DB = 100

export function drawPage(inspection: Inspection, systems: readonly InspectedSystem[]): string {
  const header = drawHeader(inspection)
  const program = drawProgram(inspection.ops, header.height + 12)
  let y = program.bottom + 34
  const layers: string[] = []
  if (systems.length > 0) {
    layers.push(text(MARGIN, y, 'State-space layers', { size: 15, bold: true }))
    y += 22
  }
  for (const system of systems) {
    layers.push(drawLayer(system, y))
    y += LAYER_HEIGHT
  }
  const height = y + 20
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="11" fill="${INK}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    header.svg,
    program.svg,
    ...layers,
    '</svg>',
  ].join('\n')
}

/** The page inside an HTML document. */
export function wrapPage(svg: string, title: string): string {
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${escapeText(title)}</title>\n<body style="margin:0;background:#fff">\n${svg}\n</body></html>\n`
}

function drawHeader(inspection: Inspection): { svg: string; height: number } {
  const { input, output } = inspection
  const facts = [
    `${input.rate} Hz in hops of ${input.hop}, ${output.rate} Hz out in hops of ${output.hop} (${inspection.hopMs.toFixed(1)} ms)`,
    `latency ${inspection.latencyMs.toFixed(1)} ms (${inspection.latencySamples} samples) delivered`,
    `cost ${(inspection.macsPerSecond / 1e6).toFixed(1)} MMAC/s`,
    `file ${kilo(inspection.fileBytes)}, weights ${kilo(inspection.weightBytes)}; per stream state ${kilo(inspection.stateBytes)}, scratch ${kilo(inspection.scratchBytes)}`,
  ]
  return {
    svg: [
      text(MARGIN, 42, inspection.name, { size: 22, bold: true }),
      ...facts.map((fact, i) => text(MARGIN, 64 + 16 * i, fact, { fill: i === 0 ? INK : PALE })),
      text(WIDTH - MARGIN, 42, `sha256 ${inspection.sha256.slice(0, 16)}`, { fill: PALE, anchor: 'end' }),
    ].join('\n'),
    height: 64 + 16 * facts.length,
  }
}

/** One line per op with a bar of its share of the arithmetic. */
function drawProgram(ops: readonly InspectedOp[], top: number): { svg: string; bottom: number } {
  const most = Math.max(...ops.map(({ macsPerHop }) => macsPerHop), 1)
  const columns = [MARGIN, 180, 260, 360, 590, 700, 780, 850]
  const titles = ['op', 'kind', 'result', 'detail', 'weights', 'state', 'share', 'multiply-accumulates per hop']
  const right = [4, 5, 6]
  const bar = WIDTH - MARGIN - columns[7] - 90
  const cell = (i: number, y: number, value: string, fill = INK) =>
    text(right.includes(i) ? columns[i] + 50 : columns[i], y, value, {
      fill,
      anchor: right.includes(i) ? 'end' : 'start',
    })
  const parts = [
    text(MARGIN, top + 18, 'Program', { size: 15, bold: true }),
    ...titles.map((title, i) => cell(i, top + 40, title, PALE)),
    line(MARGIN, top + 46, WIDTH - MARGIN, top + 46, GRID),
  ]
  let y = top + 46
  for (const op of ops) {
    y += ROW
    const cells = [
      op.name,
      op.kind,
      op.shape.join(' x '),
      op.detail,
      op.weightBytes > 0 ? `${kilo(op.weightBytes)} ${op.format}` : '',
      op.stateBytes > 0 ? kilo(op.stateBytes) : '',
      op.macsPerHop > 0 ? `${(100 * op.share).toFixed(1)}%` : '',
    ]
    parts.push(...cells.map((value, i) => cell(i, y, clip(value, i === 0 ? 24 : i === 3 ? 36 : 22))))
    const width = (bar * op.macsPerHop) / most
    if (op.macsPerHop === 0) continue
    parts.push(rect(columns[7], y - 9, Math.max(1, width), 10, op.kind === 'ssm' ? ACCENT : '#9fb6c6'))
    parts.push(text(columns[7] + width + 6, y, op.macsPerHop.toLocaleString('en-US'), { fill: PALE }))
  }
  return { svg: parts.join('\n'), bottom: y }
}

function drawLayer(system: InspectedSystem, top: number): string {
  const slow = system.poles[0]?.timeConstantMs ?? 0
  const real = system.poles.filter((pole) => isRealPole(pole, system.rate)).length
  const facts = [
    `${system.inputs} in, ${system.outputs} out${system.positions > 1 ? `, ${system.positions} positions` : ''}`,
    `${system.order} states${real > 0 ? `, ${real} real` : ''}`,
    `${system.rate} steps/s`,
    `slowest ${slow < 10 ? slow.toPrecision(2) : slow.toFixed(0)} ms`,
    `${(100 * system.share).toFixed(1)}% of the arithmetic`,
  ]
  const y = top + 14
  const x = (i: number) => MARGIN + LEGEND_WIDTH + i * (PANEL_WIDTH + PANEL_GAP)
  return [
    line(MARGIN, top, WIDTH - MARGIN, top, GRID),
    text(MARGIN, top + 24, clip(system.name, 28), { size: 13, bold: true }),
    ...facts.map((fact, i) => text(MARGIN, top + 44 + 16 * i, fact, { fill: PALE })),
    drawPoles(system, x(0), y),
    drawHankel(system, x(1), y),
    drawGain(system, x(2), y),
  ].join('\n')
}

/** Real poles stand at the edges: at rest on the left, alternating on the right. */
function drawPoles({ poles, rate }: InspectedSystem, x: number, y: number): string {
  const half = rate / 2
  const lowest = half / 2 ** 12
  // what forgets at once stands at a hundredth of a step
  const times = poles.map(({ timeConstantMs }) => Math.max(10 / rate, timeConstantMs))
  const low = 10 ** Math.floor(Math.log10(Math.min(...times, 1000 / rate)))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...times, 10 * low)))
  const across = logScale(lowest, half, x, PANEL_WIDTH)
  const down = logScale(low, high, y + PANEL_HEIGHT, -PANEL_HEIGHT)
  const dots = poles.map((pole, i) => {
    const [cx, cy] = [across(Math.max(lowest, pole.frequencyHz)), down(times[i])]
    const fill = isRealPole(pole, rate) ? WARM : ACCENT
    return `<circle cx="${n(cx)}" cy="${n(cy)}" r="2.6" fill="${fill}" fill-opacity="0.6"/>`
  })
  return [
    frame(x, y, 'poles: time constant (ms) over frequency (Hz)'),
    ...decades(low, high).map((value) => tickY(x, down(value), label(value))),
    ...decades(1.6 * lowest, half).map((value) => tickX(across(value), y, label(value))),
    tickX(x, y, '0'),
    ...dots,
  ].join('\n')
}

function drawHankel({ hankel, order }: InspectedSystem, x: number, y: number): string {
  const count = 2 * order
  const across = (k: number) => x + (PANEL_WIDTH * k) / count
  const top = hankel[0] || 1
  const down = dbScale(y)
  const points = hankel.map((value, k) => [across(k), down(20 * Math.log10(value / top + 1e-30))] as const)
  const bar = Math.max(1, Math.min(10, PANEL_WIDTH / count - 0.6))
  return [
    frame(x, y, 'Hankel singular values (dB below the first)'),
    ...[0, -20, -40, -60, -80].map((value) => tickY(x, down(value), `${value}`)),
    ...niceSteps(count).map((value) => tickX(across(value), y, `${value}`)),
    ...points.map(([px, py]) => rect(px, py, bar, y + PANEL_HEIGHT - py, ACCENT, 0.75)),
  ].join('\n')
}

function drawGain({ frequenciesHz, gainDb }: InspectedSystem, x: number, y: number): string {
  const [lowest, half] = [frequenciesHz[0], frequenciesHz[frequenciesHz.length - 1]]
  const top = 10 * Math.ceil(Math.max(...gainDb) / 10)
  const bottom = Math.min(top - 20, 10 * Math.floor(Math.max(top - 80, Math.min(...gainDb)) / 10))
  const across = logScale(lowest, half, x, PANEL_WIDTH)
  const down = (value: number) => y + (PANEL_HEIGHT * (top - Math.max(bottom, value))) / (top - bottom)
  const path = frequenciesHz.map((hz, k) => `${k === 0 ? 'M' : 'L'}${n(across(hz))} ${n(down(gainDb[k]))}`).join('')
  const step = top - bottom > 40 ? 20 : 10
  const levels = Array.from({ length: Math.floor((top - bottom) / step) + 1 }, (_, i) => top - i * step)
  return [
    frame(x, y, 'gain, all inputs to all outputs (dB) over frequency (Hz)'),
    ...levels.map((value) => tickY(x, down(value), `${value}`)),
    ...decades(lowest, half).map((value) => tickX(across(value), y, label(value))),
    `<path d="${path}" fill="none" stroke="${WARM}" stroke-width="1.6"/>`,
  ].join('\n')
}

function frame(x: number, y: number, title: string): string {
  return [
    rect(x, y, PANEL_WIDTH, PANEL_HEIGHT, '#fafbfc'),
    text(x, y - 4, title, { fill: PALE, size: 10 }),
    line(x, y + PANEL_HEIGHT, x + PANEL_WIDTH, y + PANEL_HEIGHT, PALE),
  ].join('\n')
}

function tickX(x: number, y: number, value: string): string {
  return [
    line(x, y, x, y + PANEL_HEIGHT, GRID),
    text(x, y + PANEL_HEIGHT + 13, value, { fill: PALE, size: 9, anchor: 'middle' }),
  ].join('\n')
}

function tickY(x: number, y: number, value: string): string {
  return [line(x, y, x + PANEL_WIDTH, y, GRID), text(x - 5, y + 3, value, { fill: PALE, size: 9, anchor: 'end' })].join(
    '\n',
  )
}

function dbScale(y: number): (value: number) => number {
  return (value) => y + (PANEL_HEIGHT * Math.min(SHOWN_DB, -value)) / SHOWN_DB
}

function logScale(low: number, high: number, from: number, length: number): (value: number) => number {
  return (value) => from + (length * Math.log(value / low)) / Math.log(high / low)
}

/** Powers of ten from low to high. */
function decades(low: number, high: number): number[] {
  const out: number[] = []
  for (let k = Math.ceil(Math.log10(low) - 1e-9); 10 ** k <= high * (1 + 1e-9); k++) out.push(10 ** k)
  return out
}

/** About six round numbers up to `count`. */
function niceSteps(count: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((value) => count / value <= 7) ?? count
  return Array.from({ length: Math.floor(count / step) + 1 }, (_, i) => i * step)
}

function label(value: number): string {
  return value >= 1000 ? `${+(value / 1000).toPrecision(3)}k` : `${+value.toPrecision(3)}`
}

function kilo(bytes: number): string {
  return bytes < 10000 ? `${bytes} B` : `${(bytes / 1000).toFixed(bytes < 1e5 ? 1 : 0)} kB`
}

function clip(value: string, length: number): string {
  return value.length > length ? `${value.slice(0, length - 1)}…` : value
}

interface TextStyle {
  size?: number
  bold?: boolean
  fill?: string
  anchor?: string
}

function text(x: number, y: number, value: string, { size = 11, bold, fill = INK, anchor }: TextStyle = {}): string {
  const weight = bold ? ' font-weight="600"' : ''
  const place = anchor && anchor !== 'start' ? ` text-anchor="${anchor}"` : ''
  return `<text x="${n(x)}" y="${n(y)}" font-size="${size}" fill="${fill}"${weight}${place}>${escapeText(value)}</text>`
}

function rect(x: number, y: number, width: number, height: number, fill: string, opacity = 1): string {
  const shade = opacity === 1 ? '' : ` fill-opacity="${opacity}"`
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(Math.max(0, height))}" fill="${fill}"${shade}/>`
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" stroke="${stroke}"/>`
}

/** Names come from files that may be hostile. */
function escapeText(value: string): string {
  let out = ''
  for (const letter of value) {
    if (letter === '&') out += '&amp;'
    else if (letter === '<') out += '&lt;'
    else if (letter === '>') out += '&gt;'
    else if (letter === '"') out += '&quot;'
    else out += letter < ' ' ? ' ' : letter
  }
  return out
}

function n(value: number): string {
  return Number.isFinite(value) ? String(Math.round(100 * value) / 100) : '0'
}
