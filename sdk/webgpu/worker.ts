// The thread behind hand.node.ts. In: orders. Out: an answer to each that asks for one, in order.

import { parentPort, workerData } from 'node:worker_threads'
import { Core } from '../core.ts'
import { ParsedModel } from '../model.ts'
import type { Order, WorkerStart } from './hand.node.ts'
import { LocalHand, type Tray } from './hand.ts'

const { module, model, deal } = workerData as WorkerStart
const opening = Core.open(module).then((core) => new LocalHand(core, ParsedModel.parse(model), deal))
let tray: Tray
let last: Promise<unknown> = opening

parentPort!.on('message', (order: Order) => {
  last = last.then(() => obey(order))
})

async function obey(order: Order): Promise<void> {
  const hand = await opening
  switch (order.kind) {
    case 'tray':
      tray = order.tray
      break
    case 'run':
      await hand.run(tray, order.rows)
      parentPort!.postMessage(undefined)
      break
    case 'read':
      parentPort!.postMessage(await hand.readState(order.slot))
      break
    case 'write':
      hand.writeState(order.slot, order.bytes)
      break
  }
}
