// The runtime as measurements see it. In: the workerd that this process has started. Out: its CPU and resident memory as the
// system counts them, and what its isolate holds after a collection.

import { readdirSync, readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import type { Edge } from './edge.ts'

const TICK_MS = 10
const MB = 2 ** 20
const WAKE_MS = 50

/** Of all workerd processes that this one has started. */
export function measureRuntime(): { cpuSeconds: number; residentMb: number } {
  const sum = { cpuSeconds: 0, residentMb: 0 }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const [stat, status] = ['stat', 'status'].map((file) => readOrEmpty(`/proc/${pid}/${file}`))
    if (!/^Name:\s+workerd$/m.test(status) || !status.includes(`PPid:\t${process.pid}\n`)) continue
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    sum.cpuSeconds += ((Number(fields[11]) + Number(fields[12])) * TICK_MS) / 1000
    sum.residentMb += Number(status.match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0) / 1024
  }
  return sum
}

/** Of a process that may have ended a moment ago. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export interface Held {
  /** JavaScript, and what the runtime keeps for it. */
  readonly heapMb: number
  readonly buffersMb: number
  /** Linear memory of the core: states, weights. */
  readonly coreMb: number
}

/** What the isolate still holds after collections: two, as what was left behind is finalised in an event after the first. */
export async function measureIsolate(edge: Edge): Promise<Held> {
  await inspect(edge, ['Runtime.enable', 'HeapProfiler.collectGarbage'])
  const coreBytes = Number(await (await edge.fetch('/memory')).text())
  const usage = await inspect(edge, ['Runtime.enable', 'HeapProfiler.collectGarbage', 'Runtime.getHeapUsage'])
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = usage
  return {
    heapMb: (usedSize + embedderHeapUsedSize) / MB,
    buffersMb: backingStorageSize / MB,
    coreMb: coreBytes / MB,
  }
}

/** Answer of the last of these methods. An idle isolate may not see what its inspector is asked: events wake it. */
async function inspect(edge: Edge, methods: readonly string[]): Promise<Record<string, number>> {
  const socket = new WebSocket(await edge.inspectorUrl())
  let event: Promise<unknown> = Promise.resolve()
  const wake = setInterval(() => {
    event = event.then(async () => (await edge.fetch('/healthz')).arrayBuffer())
  }, WAKE_MS)
  try {
    return await new Promise((resolve, reject) => {
      socket.on('message', (data) => {
        const { id, result } = JSON.parse(String(data))
        if (id === methods.length) resolve(result)
      })
      socket.on('error', reject)
      socket.on('open', () => {
        for (const [i, method] of methods.entries()) socket.send(JSON.stringify({ id: i + 1, method }))
      })
    })
  } finally {
    clearInterval(wake)
    socket.close()
    await event
  }
}
