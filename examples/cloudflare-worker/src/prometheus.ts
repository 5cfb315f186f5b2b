// Totals as Prometheus reads them (text format 0.0.4). In: numbers by our names. Out: lines; what has no entry here is not shown.

interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  /** Our names, by the value of the label. */
  readonly series: Readonly<Record<string, string>>
  readonly label?: string
}

const METRICS: readonly Metric[] = [
  {
    name: 'attenuate_packets_total',
    help: 'Packets of sensors by what became of them; received = played + late + duplicate (+ waiting).',
    type: 'counter',
    label: 'state',
    series: {
      received: 'received',
      played: 'played',
      lost: 'lost',
      concealed: 'concealed',
      late: 'late',
      duplicate: 'duplicates',
      reordered: 'reordered',
    },
  },
  {
    name: 'attenuate_messages_total',
    help: 'WebSocket messages of senders: taken once in order, announced as lost, sent again.',
    type: 'counter',
    label: 'state',
    series: { taken: 'messages', lost: 'lostMessages', repeated: 'repeatedMessages' },
  },
  {
    name: 'attenuate_stream_events_total',
    help: 'Connections, returns to a checkpoint, writes, refusals.',
    type: 'counter',
    label: 'event',
    series: {
      connection: 'connections',
      session: 'sessions',
      restart: 'restarts',
      resume: 'resumes',
      replay: 'returns',
      checkpoint: 'checkpoints',
      fresh_start: 'freshStarts',
      refusal: 'refusals',
    },
  },
  {
    name: 'attenuate_skipped_hops_total',
    help: 'Hops of 16 ms left out for ears that were too slow.',
    type: 'counter',
    series: { '': 'skippedHops' },
  },
  {
    name: 'attenuate_live_streams',
    help: 'Streams that sent within the last minutes.',
    type: 'gauge',
    series: { '': 'liveStreams' },
  },
  {
    name: 'attenuate_http_requests_total',
    help: 'Requests by class of status.',
    type: 'counter',
    label: 'status',
    series: { '1xx': 'http1xx', '2xx': 'http2xx', '4xx': 'http4xx', '5xx': 'http5xx' },
  },
  {
    name: 'attenuate_denoised_seconds_total',
    help: 'Audio denoised by POST /denoise.',
    type: 'counter',
    series: { '': 'denoisedSeconds' },
  },
]

export function toPrometheus(totals: Readonly<Record<string, number>>): string {
  return METRICS.map(
    ({ name, help, type, series, label }) =>
      `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${Object.entries(series)
        .map(([value, ours]) => `${name}${label === undefined ? '' : `{${label}="${value}"}`} ${totals[ours] ?? 0}\n`)
        .join('')}`,
  ).join('')
}
