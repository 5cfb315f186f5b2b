// Where the peers' npm packages are: PEERS_MODULES (a node_modules folder) or this project's own resolution.
// None of them is a dependency of this project; the evaluator runs without them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const resolver = () =>
  createRequire(process.env.PEERS_MODULES ? join(process.env.PEERS_MODULES, 'resolve.js') : import.meta.url)

/** A CommonJS package, or undefined when it is not installed. */
export const requirePeer = <T>(name: string): T | undefined => {
  try {
    return resolver()(name) as T
  } catch (error) {
    if ((error as { code?: string }).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** An ES module by the path of one of its files, or undefined when it is not installed. */
export const importPeer = async <T>(file: string): Promise<T | undefined> => {
  const folder = process.env.PEERS_MODULES
  try {
    return (await import(folder ? pathToFileURL(join(folder, file)).href : file)) as T
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
