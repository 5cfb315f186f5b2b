/** Serves a folder on this machine. */
export function servePage(folder: string, port?: number): Promise<{ address: string; close(): Promise<void> }>
