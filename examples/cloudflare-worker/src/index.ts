// The Worker: who may come in, and where each request goes. In: requests. Out: the page, denoised audio, or the stream's
// Durable Object; every refusal is a 4xx with one line of JSON.

import { MODELS } from 'attenuate-edge'
import { admit } from './access.ts'
import { censusOf } from './census.ts'
import { denoise } from './denoise.ts'
import { type Env, limitsOf } from './limits.ts'
import page from './page.html'
import { Problem, toResponse } from './problem.ts'
import { toPrometheus } from './prometheus.ts'
import { Tally } from './tally.ts'
import { Transfers } from './transfers.ts'

export { Census } from './census.ts'
export { Stream } from './stream.ts'

const transfers = new Transfers()
const tally = new Tally()

export default {
  async fetch(request, env, ctx) {
    const response = await answer(request, env).catch(toResponse)
    tally.add(`http${Math.floor(response.status / 100)}xx`)
    ctx.waitUntil(tally.report(env))
    return response
  },
} satisfies ExportedHandler<Env>

async function answer(request: Request, env: Env): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/') return showPage(request)
  if (pathname === '/healthz') return Response.json({ status: 'ok', models: Object.keys(MODELS) })
  admit(request, env.TOKEN)
  if (pathname === '/denoise') {
    expectMethod(request, 'POST')
    return denoise(request, limitsOf(env), transfers, (seconds) => tally.add('denoisedSeconds', seconds))
  }
  if (pathname === '/metrics') return showMetrics(request, env)
  const [, name, rest] = pathname.match(/^\/stream\/([^/]*)(\/snapshot)?$/) ?? []
  if (name !== undefined) return toStream(request, env, name, rest !== undefined)
  throw new Problem(404, `path, ${pathname.slice(0, 100)}; use /denoise, /stream/NAME, /metrics, /healthz or /`)
}

function toStream(request: Request, env: Env, name: string, isSnapshot: boolean): Promise<Response> {
  if (!/^[\w-]{1,64}$/.test(name))
    throw new Problem(400, `stream, ${name.slice(0, 100)}; use 1..64 letters, digits, - or _`)
  expectMethod(request, ...(isSnapshot ? ['GET', 'PUT'] : ['GET']))
  return env.STREAMS.get(env.STREAMS.idFromName(name)).fetch(request)
}

function showPage(request: Request): Response {
  expectMethod(request, 'GET')
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    },
  })
}

async function showMetrics(request: Request, env: Env): Promise<Response> {
  expectMethod(request, 'GET')
  await tally.report(env, true)
  return new Response(toPrometheus(await censusOf(env).totals()), {
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  })
}

function expectMethod(request: Request, ...methods: readonly string[]): void {
  if (!methods.includes(request.method))
    throw new Problem(405, `method, ${request.method}; use ${methods.join(' or ')}`, { allow: methods.join(', ') })
}
