// `attenuate inspect MODEL`. In: a model's name, path or URL. Out: what it holds, as text or JSON.

import { formatInspection, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { nodeHost } from '../host.node.ts'
import { readModel } from '../model.ts'

export async function inspectFile(model: string, json = false): Promise<string> {
  const inspection = inspectModel(decodeModel(await readModel(nodeHost, model)))
  return json ? JSON.stringify(inspection, null, 2) : formatInspection(inspection)
}
