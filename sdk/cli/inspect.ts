// `attenuate inspect MODEL`. In: a model's name, path or URL. Out: what it holds, as text or JSON: program, shapes, bytes,
// cost, latency, and of every state-space layer its poles, Hankel singular values and frequency response; on request a
// page with figures.

import { formatInspection, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { drawPage, wrapPage } from '../../quantize/page.ts'
import { formatSystems, inspectSystems } from '../../quantize/systems.ts'
import { nodeHost } from '../host.node.ts'
import { readModel } from '../model.ts'
import { writeWhole } from './output.ts'
import { keepInputs } from './place.ts'

export interface InspectCommand {
  readonly json?: boolean
  /** Files to write. */
  readonly svg?: string
  readonly html?: string
}

export async function inspectFile(source: string, { json, svg, html }: InspectCommand): Promise<string> {
  await keepInputs([source], [svg, html])
  const bytes = await readModel(nodeHost, source)
  const model = decodeModel(bytes)
  const inspection = inspectModel(model)
  const systems = inspectSystems(bytes, model)
  if (svg !== undefined || html !== undefined) {
    const page = drawPage(inspection, systems)
    await writeWhole([svg, Buffer.from(page)], [html, Buffer.from(wrapPage(page, inspection.name))])
  }
  if (json) return JSON.stringify({ ...inspection, systems }, null, 2)
  return [formatInspection(inspection), ...formatSystems(systems)].join('\n')
}
