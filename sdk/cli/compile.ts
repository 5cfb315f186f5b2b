// `attenuate compile CHECKPOINT -o MODEL`. In: a checkpoint file. Out: a model file, and its inspection as text or JSON.

import { readFile } from 'node:fs/promises'
import { parseCausal } from '../../quantize/attenuate.ts'
import { compile } from '../../quantize/compile.ts'
import { formatInspection, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { fail } from '../errors.ts'
import { writeFileWhole } from './output.ts'

export async function compileFile(input: string, output: string, causal?: string, json = false): Promise<string> {
  const checkpoint = await readFile(input).catch((error) =>
    fail('LOAD_FAILED', `cannot be read (${error.code})`, input, 'check the path'),
  )
  const bytes = compile(checkpoint, causal === undefined ? {} : { causal: parseCausal(causal) })
  const inspection = inspectModel(decodeModel(bytes))
  await writeFileWhole(output, bytes)
  return json
    ? JSON.stringify(inspection, null, 2)
    : `${formatInspection(inspection)}\n${output}: ${bytes.length} bytes`
}
