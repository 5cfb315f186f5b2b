// What bundlers for Cloudflare Workers make of static imports.

declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}

declare module '*.bin' {
  const bytes: ArrayBuffer
  export default bytes
}
