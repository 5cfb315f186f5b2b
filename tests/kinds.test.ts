// The gate's table by kind: no rule that nothing follows, no file in two places, and sums that are those of the files.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KINDS, kindOf, summaryLines } from '../scripts/kinds.mjs'
import { listTestFiles } from '../scripts/testFiles.mjs'

const files = listTestFiles()

test('every rule is that of some test file, and what none matches is a unit test', () => {
  for (const [kind, pattern] of KINDS)
    assert.ok(
      files.some((file) => pattern.test(file) && kindOf(file) === kind),
      `${kind}: ${pattern}`,
    )
  assert.is(kindOf('assembly/norm.test.ts'), 'unit')
})

test('the table adds up by kind, in the order of the rules, and names the slowest', () => {
  const lines = summaryLines([
    { name: 'lint', passed: 1, failed: 0, seconds: 2 },
    { name: 'assembly/norm.test.ts', passed: 3, failed: 0, seconds: 1 },
    { name: 'assembly/ssm.test.ts', passed: 4, failed: 1, seconds: 11.4 },
    { name: 'tests/budget.test.ts', passed: 7, failed: 0, seconds: 3 },
  ])
  assert.equal(lines, [
    'kind  passed  failed  seconds',
    'lint       1       0        2',
    'unit       7       1       12',
    'size       7       0        3',
    'slowest: assembly/ssm.test.ts 11 s, tests/budget.test.ts 3 s, lint 2 s, assembly/norm.test.ts 1 s',
  ])
})

test.run()
