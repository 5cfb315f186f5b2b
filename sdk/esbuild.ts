// A plugin for esbuild, which does not follow `new URL('file', import.meta.url)` as other bundlers do: core, models and the
// worklet's processor are copied beside the bundle, and the addresses in this package's modules rewritten to the copies.
// In: a build with `format: 'esm'`. Out: the same, with files.

import { readFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { fail } from './errors.ts'

const FILE = 'attenuate-edge-file:'
const ADDRESS = /new URL\('(\.\.?\/[^']+)', import\.meta\.url\)/g

/** `build({ format: 'esm', bundle: true, plugins: [attenuateFiles()], ... })` */
export function attenuateFiles(): Plugin {
  const folder = dirname(fileURLToPath(import.meta.url)) + sep
  return {
    name: 'attenuate-edge',
    setup(build) {
      const { format } = build.initialOptions
      if (format !== 'esm')
        fail(
          'OPTION_INVALID',
          'format of the esbuild bundle',
          format,
          "use format: 'esm': files are found by import.meta.url",
        )
      build.onResolve({ filter: new RegExp(`^${FILE}`) }, ({ path, resolveDir }) => {
        return { path: join(resolveDir, path.slice(FILE.length)), namespace: FILE }
      })
      build.onLoad({ filter: /./, namespace: FILE }, async ({ path }) => {
        return { contents: await readFile(path), loader: 'file' }
      })
      build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(folder)) return undefined
        return { contents: rewrite(await readFile(path, 'utf8')), loader: 'js' }
      })
    },
  }
}

/** Addresses become those of imported files. */
function rewrite(text: string): string {
  const files = [...new Set([...text.matchAll(ADDRESS)].map(([, file]) => file))]
  const imports = files.map((file, i) => `import file${i} from '${FILE}${file}'\n`).join('')
  return imports + text.replace(ADDRESS, (_, file) => `new URL(file${files.indexOf(file)}, import.meta.url)`)
}
