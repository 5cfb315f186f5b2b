// A progress bar on standard error, where that is a terminal; silence elsewhere. An interrupt may end the process before `stop`: the bar
// changes no setting of the terminal, neither hides its cursor nor stops it from wrapping lines (cli-progress cuts the bar to fit then).

import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  update(done: number): void
  /** A line on standard error, above the bar. */
  say(line: string): void
  stop(): void
}

const SILENT: Progress = { update() {}, say: (line) => process.stderr.write(`${line}\n`), stop() {} }
/** To the beginning of the line, which is cleared. */
const CLEARED = '\r\u001b[K'
/** Where the bar stands, for `stop` to clear: cli-progress keeps the place of its beginning, which a line above has taken since. */
const KEPT = '\u001b7'

/** `total` in the caller's unit; undefined where it is not known: no bar then. */
export function showProgress(title: string, total: number | undefined): Progress {
  if (!process.stderr.isTTY || total === undefined) return SILENT
  const bar = new SingleBar(
    {
      format: `${title} {bar} {percentage}% {eta_formatted}`,
      clearOnComplete: true,
      linewrap: true,
      stream: process.stderr,
    },
    Presets.shades_grey,
  )
  bar.start(total, 0)
  return {
    update: (done) => bar.update(Math.min(done, total)),
    say: (line) => process.stderr.write(`${CLEARED}${line}\n${KEPT}`),
    stop: () => bar.stop(),
  }
}
