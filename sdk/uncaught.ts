// Errors of a user's callback that is called in the midst of a stream's work. In: what it threw. Out: nothing; the host hears of
// it as of an event listener's error (Node: `uncaughtException`, pages: `error`), and the work goes on.

export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
