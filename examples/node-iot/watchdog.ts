// Notices silence of the hardware. In: `feed` whenever samples came. Out: one call when none came for so long; and, under systemd with
// WatchdogSec=, a sign of life as long as it is fed, so that a process that hangs is restarted.

import { spawn } from 'node:child_process'

/** What the unit's WatchdogSec= says. */
const SYSTEMD_LIMIT_MS = Number(process.env.WATCHDOG_USEC ?? Number.POSITIVE_INFINITY) / 1000

export class Watchdog {
  readonly #timer: ReturnType<typeof setInterval>
  #fedAt = performance.now()

  constructor(limitMs: number, onStarved: () => void) {
    this.#timer = setInterval(() => {
      if (performance.now() - this.#fedAt < limitMs) tellSystemd('WATCHDOG=1')
      else {
        this.stop()
        onStarved()
      }
    }, Math.min(limitMs, SYSTEMD_LIMIT_MS) / 4)
    tellSystemd('READY=1')
  }

  feed(): void {
    this.#fedAt = performance.now()
  }

  /** Nothing is expected until the next `feed`: the samples that came are being worked on. */
  rest(): void {
    this.#fedAt = Number.POSITIVE_INFINITY
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function tellSystemd(message: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return
  spawn('systemd-notify', [message], { stdio: 'ignore' }).on('error', () => undefined)
}
