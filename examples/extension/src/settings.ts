// What the user has chosen, kept in chrome.storage.local. In: the popup's controls. Out: the same settings in every frame, as
// they change.

/** From here on down all that the model does. */
export const ALL_DB = -40

export interface Settings {
  readonly isOn: boolean
  /** At most so much is taken away: ALL_DB (everything) .. 0. */
  readonly strengthDb: number
}

const USUAL: Settings = { isOn: true, strengthDb: ALL_DB }

export async function readSettings(): Promise<Settings> {
  return { ...USUAL, ...(await chrome.storage.local.get(['isOn', 'strengthDb'])) }
}

export function writeSettings(settings: Partial<Settings>): Promise<void> {
  return chrome.storage.local.set(settings)
}

export function followSettings(take: (settings: Settings) => void): void {
  chrome.storage.local.onChanged.addListener(async () => take(await readSettings()))
}

/** As the SDK counts it. */
export function strengthOf({ strengthDb }: Settings): number {
  return strengthDb <= ALL_DB ? Number.NEGATIVE_INFINITY : strengthDb
}
