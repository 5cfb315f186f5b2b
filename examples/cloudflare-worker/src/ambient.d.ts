// What the types of Workers leave out: text modules, and names that the SDK's source mentions for other hosts.

declare module '*.html' {
  const text: string
  export default text
}

declare namespace WebAssembly {
  function compile(bytes: BufferSource): Promise<WebAssembly.Module>
}

declare var location: { readonly href: string } | undefined
