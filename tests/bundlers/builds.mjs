// One build per bundler, as a user would write it. In: folders of the app and of the result. Out: files to serve, app.js
// among them. What each needs beyond its defaults is marked.

import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build as buildEsbuild } from 'esbuild'
import { build as buildVite, createServer } from 'vite'
import webpack from 'webpack'

export async function vite(app, out) {
  const rollupOptions = { input: join(app, 'app.js'), output: { entryFileNames: 'app.js' } }
  await buildVite({
    root: app,
    configFile: false,
    logLevel: 'warn',
    build: { outDir: out, emptyOutDir: true, rollupOptions },
  })
}

export function webpackBuild(app, out) {
  const options = {
    mode: 'production',
    context: app,
    entry: './app.js',
    output: { path: out, filename: 'app.js' },
    performance: { hints: false },
  }
  return new Promise((resolve, reject) => {
    webpack(options, (error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString({ all: false, errors: true })))
      else resolve()
    })
  })
}

export async function esbuild(app, out) {
  const { attenuateFiles } = await import('attenuate-edge/esbuild')
  await buildEsbuild({
    absWorkingDir: app,
    entryPoints: ['app.js'],
    bundle: true,
    minify: true,
    format: 'esm',
    outdir: out,
    plugins: [attenuateFiles()], // the one line
    logLevel: 'warning',
  })
}

/** No bundler: the package's folders as they are, found by an import map (its lines are in bundlers.test.ts). */
export async function none(app, out) {
  await mkdir(join(out, 'modules'), { recursive: true })
  await cp(join(app, 'app.js'), join(out, 'app.js'))
  for (const name of ['attenuate-edge', '@noble/hashes'])
    await cp(join(app, 'node_modules', name), join(out, 'modules', name), { recursive: true, dereference: true })
}

/** Vite's server for development. Returns its address and how to end it. */
export async function viteServer(app) {
  const server = await createServer({
    root: app,
    configFile: false,
    logLevel: 'warn',
    optimizeDeps: { exclude: ['attenuate-edge'] }, // the one line
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  })
  await server.listen()
  const { port } = server.httpServer.address()
  return { origin: `http://localhost:${port}`, close: () => server.close() }
}
