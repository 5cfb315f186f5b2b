// What the compiler made of the shipped models, as tables. In: models/*.ssm. Out: a row per model; a row per state-space layer.

import { inspectModel } from '../quantize/inspect.ts'
import { decodeModel } from '../quantize/modelfile.ts'
import { inspectSystems } from '../quantize/systems.ts'
import { nodeHost } from '../sdk/host.node.ts'
import { readModel } from '../sdk/model.ts'
import { MODELS } from '../sdk/models.ts'
import { markdown } from './markdown.ts'

export async function compilerTables(): Promise<{ programs: string; systems: string }> {
  const models = await Promise.all(Object.keys(MODELS).map(inspect))
  return {
    programs: markdown(
      ['shipped model', 'records', 'MMAC/s', 'weights kB', 'state kB per stream', 'scratch kB'],
      models.map(({ name, inspection }) => [
        name,
        `${inspection.ops.length}`,
        (inspection.macsPerSecond / 1e6).toFixed(0),
        ...[inspection.weightBytes, inspection.stateBytes, inspection.scratchBytes].map((n) => (n / 1000).toFixed(0)),
      ]),
    ),
    systems: markdown(
      ['layer', 'in, out', 'bands', 'states', 'time constants ms', 'Hankel values above -20, -40, -60 dB', 'share'],
      models.flatMap(({ name, systems }) => systems.map((system) => systemRow(name, system))),
    ),
  }
}

async function inspect(name: string) {
  const bytes = await readModel(nodeHost, name)
  const model = decodeModel(bytes)
  return { name, inspection: inspectModel(model), systems: inspectSystems(bytes, model) }
}

function systemRow(model: string, system: ReturnType<typeof inspectSystems>[number]): string[] {
  const times = system.poles.map(({ timeConstantMs }) => timeConstantMs)
  const above = [20, 40, 60].map((db) => system.hankel.filter((x) => x > system.hankel[0] * 10 ** (-db / 20)).length)
  return [
    `${model} ${system.name.replace('_ssm', '')}`,
    `${system.inputs}, ${system.outputs}`,
    `${system.positions}`,
    `${system.order}`,
    [times[times.length - 1], times[times.length >> 1], times[0]].map((ms) => ms.toFixed(0)).join(' .. '),
    above.join(', '),
    `${(100 * system.share).toFixed(0)} %`,
  ]
}
