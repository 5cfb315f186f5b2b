// What kind of proof each step and test file of the gate is, and the table by kind at the end of `npm test`.
// In: paths of test files, what they gave. Out: kinds; lines of text.

/** The first that matches; what none matches is a unit test. */
export const KINDS = [
  ['training', /^training\//],
  ['package', /^tests\/package\/nodes\./],
  ['engines, QEMU', /\.engines\.test/],
  ['golden', /^tests\/golden\/|^quantize\/(execution|attenuate\.shared|writeback\.shared)\.|^sdk\/sensor\//],
  ['short fuzz', /^tests\/fuzz\/|^quantize\/(modelfile|safetensors|pytorch)\./],
  ['workerd', /^tests\/workerd\/|^examples\/(cloudflare-worker\/tests\/(?!page)|node-iot\/)/],
  ['SwiftShader', /^sdk\/webgpu\/|^tests\/browser\/webgpu\./],
  ['Chromium', /^tests\/(browser|bundlers)\/|^examples\/.*\/page\./],
  ['size', /^tests\/budget\./],
  ['API', /^tests\/package\/api\./],
  ['package', /^tests\/package\//],
  ['command line', /^tests\/([\w.]+\.)?cli\.|^sdk\/cli\//],
  ['property', /^tests\/(streaming|latency|soak|steady)\.|^quantize\/(calibration|hankel|systems|pruning|reduce)\./],
  [
    'property',
    /^sdk\/(arena|frames|planes|rated|recorder|resampler|snapshot|spreading|stream|worklet\/quanta)\.|\/client\/link\./,
  ],
]

const UNIT = 'unit'
const STEPS = ['lint', 'types', 'docs', 'build']
const SLOWEST = 5

export function kindOf(name) {
  if (STEPS.includes(name)) return name
  return KINDS.find(([, pattern]) => pattern.test(name))?.[0] ?? UNIT
}

/** In: { name, passed, failed, seconds } of every step and file. Seconds of a kind are a sum; files run side by side. */
export function summaryLines(results) {
  const rows = [...new Set([...STEPS, UNIT, ...KINDS.map(([kind]) => kind)])].flatMap((kind) => {
    const own = results.filter(({ name }) => kindOf(name) === kind)
    const sum = (key) => own.reduce((total, result) => total + result[key], 0)
    return own.length === 0 ? [] : [[kind, sum('passed'), sum('failed'), sum('seconds').toFixed(0)]]
  })
  const slowest = results
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`)
  return [...align([['kind', 'passed', 'failed', 'seconds'], ...rows]), `slowest: ${slowest.join(', ')}`]
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)))
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  '),
  )
}
