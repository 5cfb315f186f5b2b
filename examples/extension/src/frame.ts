// The extension's frame in a page: hands each opening and its ports to a worker of its own. Anybody may embed it; it only
// ever cleans what it is given.

addEventListener('message', ({ data, ports }) => {
  new Worker('frame.worker.js').postMessage(data, [...ports])
})
