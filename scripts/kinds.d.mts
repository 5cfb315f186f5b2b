export interface Result {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly seconds: number
}
export const KINDS: readonly (readonly [kind: string, pattern: RegExp])[]
export function kindOf(name: string): string
export function summaryLines(results: readonly Result[]): string[]
