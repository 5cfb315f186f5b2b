// What differs between runtimes, and nothing else: where the core's module and the shipped models come from. Each entry
// (index.ts for Node, index.browser.ts, index.workerd.ts) brings its own.

export interface Host {
  /** The core that suits this machine, compiled. Called once per process or isolate. */
  loadCore(): Promise<WebAssembly.Module>
  /** Bytes of a shipped model (models.ts), of a URL or, where there are files, a path. */
  readModel(source: string | URL, progress: Progress): Promise<Uint8Array>
  /** Bytes of a core that the caller gave as URL or, where there are files, path. */
  readWasm(source: string | URL): Promise<Uint8Array<ArrayBuffer>>
  /** Milliseconds that pass while code runs. */
  now(): number
  /** Some text about this device that later processes read again, where the host has a place for it. Never throws. */
  readonly memory?: { read(): Promise<string | undefined>; write(text: string): Promise<void> }
}

/** Of loading. */
export interface Progress {
  /** Ends the loading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Bytes so far, and in all where that is known. */
  readonly onProgress?: ((loadedBytes: number, totalBytes: number | undefined) => void) | undefined
}
