// The Worker as it is deployed, and two accidents on demand, at /test/NAME/...: the object dies (`crash`), wakes with a
// checkpoint that somebody has tampered with (`forge`). /memory: bytes of the core's memory, which the
// runtime's own count of buffers leaves out. Streams whose names begin with `echo-` are none (echo.ts).

import worker, { Census, Stream as Production } from '../src/index.ts'
import type { Env } from '../src/limits.ts'
import { Echo } from './echo.ts'

export { Census, Echo }

const memories: WebAssembly.Memory[] = []
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: { initial: number }) {
    super(descriptor)
    memories.push(this)
  }
}

export class Stream extends Production {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/crash') this.ctx.abort('crashed by a test')
    if (pathname === '/forge') {
      const checkpoint = await this.ctx.storage.get<{ snapshot: Uint8Array }>('checkpoint')
      await this.ctx.storage.put('checkpoint', { ...checkpoint, snapshot: new Uint8Array(await request.arrayBuffer()) })
      await this.ctx.storage.sync()
      this.ctx.abort('forged by a test')
    }
    return super.fetch(request)
  }
}

interface TestEnv extends Env {
  readonly ECHOES: DurableObjectNamespace<Echo>
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url)
    if (pathname === '/memory') return Response.json(memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0))
    const [, kind, name, accident] = pathname.match(/^\/(test|stream)\/([\w-]+)(?:\/(\w+))?$/) ?? []
    const objects = name?.startsWith('echo-') ? env.ECHOES : env.STREAMS
    if (kind === 'stream' && objects === env.ECHOES) return objects.get(objects.idFromName(name)).fetch(request)
    if (kind !== 'test') return worker.fetch(request, env, ctx)
    const body = await request.arrayBuffer()
    const object = objects.get(objects.idFromName(name))
    await object.fetch(`http://test/${accident}`, { method: 'POST', body }).catch(() => undefined)
    return new Response('done')
  },
} satisfies ExportedHandler<TestEnv>
