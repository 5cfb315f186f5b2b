/** Builds the page into a folder; returns the folder. */
export function buildPage(to?: string): Promise<string>
