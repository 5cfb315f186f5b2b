export function listTestFiles(): string[]
