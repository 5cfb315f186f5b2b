// Where tests lie. Out: the paths of all *.test.ts, from the project's root, in order.

import { existsSync, readdirSync } from 'node:fs'
import { root } from './installed.mjs'

const FOLDERS = ['training', 'quantize', 'assembly', 'sdk', 'devices', 'bench', 'tests', 'examples']
const MADE = /(^|\/)(node_modules|dist|build|out)\//

export function listTestFiles() {
  return FOLDERS.filter((folder) => existsSync(new URL(`../${folder}`, import.meta.url)))
    .flatMap((folder) => readdirSync(`${root}/${folder}`, { recursive: true }).map((path) => `${folder}/${path}`))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && !MADE.test(path))
    .sort()
}
