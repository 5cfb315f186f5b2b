/** Builds the unpacked extension into a folder; returns the folder. */
export function buildExtension(to?: string): Promise<string>
/** Packs it as a store takes it. */
export function zipExtension(folder: string, to: string): Promise<void>
