// Pruning: a state that does nothing leaves first, what is left reproduces the layer, and its tensors stay the layer's own.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork } from './attenuate.ts'
import type { Checkpoint } from './checkpoint.ts'
import { discretise, impulseResponse } from './discretise.ts'
import { familiesOf } from './family.ts'
import { analysePruning, prune } from './pruning.ts'
import { analyseLayers, applyRealisations, calibrate } from './reduce.ts'
import { drawNormal, fillNetwork, seedRandom } from './specimens.ts'

/** The down1 layer's first `idle` states are read by nobody. */
function network(seed: number, idle: number): Checkpoint {
  const checkpoint = fillNetwork(
    describeNetwork(['encoder', 'neck', 'decoder'], { channels: [3, 6], factors: [4, 2], order: 10 }),
    seed,
    true,
  )
  const C = checkpoint.tensors.get('down1_ssm.C')!
  for (let d = 0; d < C.shape[0]; d++) for (let n = 0; n < idle; n++) C.data[d * C.shape[1] + n] = 0
  return checkpoint
}

function analyse(checkpoint: Checkpoint, seed: number) {
  const random = seedRandom(seed)
  const audio = Float32Array.from({ length: 4000 }, () => 0.2 * drawNormal(random))
  return analyseLayers(checkpoint, calibrate(checkpoint, audio))
}

test('idle states leave first and cost nothing', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const checkpoint = network(seed, 3)
    const layer = analyse(checkpoint, seed).find(({ node }) => node.name === 'down1_ssm')!
    const pruning = analysePruning(layer)!
    assert.equal([...pruning.leaving.slice(0, 3)].sort(), [0, 1, 2])
    assert.ok(pruning.tail[7] < 1e-6, `${pruning.tail[7]}`)
    for (let n = 1; n <= 10; n++) assert.ok(pruning.tail[n] <= pruning.tail[n - 1])
    const realisation = prune(layer, pruning, 7)
    const node = applyRealisations(checkpoint, [realisation]).graph.nodes.find(({ name }) => name === 'down1_ssm')!
    const [before, after] = [layer.node, node].map(({ tensors }) => impulseResponse(discretise(tensors), 30))
    const size = Math.max(...before.flatMap((h) => [...h].map(Math.abs)))
    for (const [k, h] of before.entries())
      for (const [i, value] of h.entries()) assert.ok(Math.abs(value - after[k][i]) < 1e-3 * size)
    // poles are the trained ones, not new ones
    const own = [...checkpoint.tensors.get('down1_ssm.log_dt')!.data]
    assert.ok([...node.tensors.get('log_dt')!.data].every((value) => own.includes(value)))
    assert.is(node.tensors.get('B')!.shape.length, 2)
  }
})

test('families: sizes cost less than the original and their expected error falls', () => {
  for (const layer of analyse(network(3, 0), 3)) {
    for (const { most, cost, tail } of familiesOf(layer)) {
      for (let size = 1; size < most; size++) {
        assert.ok(cost(size) <= cost(size + 1))
        assert.ok(tail(size) >= tail(size + 1))
      }
    }
  }
  // one channel: D is exact, states are reduced, nothing is pruned
  const [first] = analyse(network(3, 0), 3)
  assert.is(analysePruning(first), undefined)
})

test.run()
