// Files beside the page. In: names. Out: addresses, and the core, compiled: SIMD where the browser has it (Safari since 16.4), else
// the scalar build with the same bits.

export const assetUrl = (path: string): string => new URL(path, document.baseURI).href
export const modelUrl = (name: string): string => assetUrl(`models/${name}.ssm`)

export async function loadCore(): Promise<WebAssembly.Module> {
  const [simd, scalar] = ['core.simd.wasm', 'core.scalar.wasm'].map((name) => () => compile(name))
  return simd().catch(scalar)
}

async function compile(name: string): Promise<WebAssembly.Module> {
  const response = await fetch(assetUrl(name))
  if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`)
  return WebAssembly.compile(await response.arrayBuffer())
}
