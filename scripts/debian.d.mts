export function ensurePackages(packages: readonly string[], isThere: () => boolean): void
export function hasProgram(name: string): boolean
