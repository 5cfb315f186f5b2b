// The gateway as a user starts it: against the Worker over a network that cuts; stopped by SIGTERM; with a microphone that is silent,
// missing, or plays; and with orders that make no sense.

import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser } from '../../sdk/index.ts'
import { WavReader } from '../../sdk/wav.ts'
import { soak } from './soak.ts'

const clip = fileURLToPath(new URL('../clip/noisy.wav', import.meta.url))
const main = fileURLToPath(new URL('main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
const test = suite('gateway')
test.after(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly log: string
}

/** `onLog`: with the child, each time it says something. Programs of the folder come before those of the machine. */
function run(
  args: readonly string[],
  onLog: (log: string, stop: () => void) => void = () => undefined,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, ...variables }
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { env })
  let [out, log] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  let isStopped = false
  child.stderr.on('data', (text) => {
    log += text
    onLog(log, () => {
      if (!isStopped) child.kill('SIGTERM')
      isStopped = true
    })
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, log })))
}

function samplesOf(path: string): number {
  const reader = new WavReader()
  reader.push(readFileSync(path))
  return reader.frames ?? -1
}

/** Stands in for arecord or aplay: a program that takes its arguments. */
function programOf(script: string, name = `recorder-${script.length}`): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

test('a minute through a network that cuts and goes away: every sample arrives, once', async () => {
  const { cuts, breaks, replayed } = await soak({ seconds: 60, cuts: 6 })
  assert.is(cuts, 6)
  assert.ok(breaks >= 6 && replayed > 0)
})

test('denoised here, into a file: the samples of the SDK', async () => {
  const output = join(folder, 'clean.wav')
  const { code, out, log } = await run(['--input', clip, '--speed', '0', '--output', output, '--model', 'lite'])
  assert.is(code, 0, log)
  assert.equal(JSON.parse(out), { samples: 128000, isWhole: true, starved: false, samplesOut: 128000, model: 'lite' })
  using denoiser = await Denoiser.create({ model: 'lite' })
  const pcm = (file: string) => {
    const bytes = Uint8Array.from(new WavReader().push(readFileSync(file)))
    return new Int16Array(bytes.buffer)
  }
  const noisy = Float32Array.from(pcm(clip), (sample) => sample / 32768)
  const clean = [...denoiser.process(noisy), ...denoiser.flush()]
  const rounded = Int16Array.from(clean, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))))
  assert.ok(Buffer.from(pcm(output).buffer).equals(Buffer.from(rounded.buffer)))
})

test('SIGTERM drains: a whole file, exit code 0, a line of log on the way', async () => {
  const output = join(folder, 'stopped.wav')
  const args = ['--input', clip, '--output', output, '--model', 'lite', '--log-seconds', '0.3']
  const { code, out, log } = await run(args, (log, stop) => log.includes('heard') && stop())
  assert.is(code, 0, log)
  const { samples, samplesOut, isWhole } = JSON.parse(out)
  assert.ok(samples > 0 && samples < 128000 && isWhole)
  assert.is(samplesOut, samples)
  assert.is(samplesOf(output), samples)
  assert.match(log, /\d+ s heard, -?[\d.]+ dBFS in, \S+ out, [\d.]+ % of a core/)
})

test('SIGTERM while a file waits for room that nobody makes: ended after --drain-seconds', async () => {
  const args = ['--input', clip, '--speed', '0', '--url', 'ws://127.0.0.1:9/stream/none', '--drain-seconds', '0.5']
  const rest = ['--buffer', '8', '--log-seconds', '0.2']
  const { code, out, log } = await run([...args, ...rest], (log, stop) => log.includes('7 unconfirmed') && stop())
  assert.is(code, 1, log)
  const { samples, isWhole } = JSON.parse(out)
  assert.ok(samples < 128000 && !isWhole)
})

test('a file is not written over the one that is played, by whatever name', async () => {
  const [input, link] = [join(folder, 'talk.wav'), join(folder, 'link.wav')]
  writeFileSync(input, readFileSync(clip))
  symlinkSync(input, link)
  for (const target of [
    ['--output', link, '--model', 'lite'],
    ['--url', 'ws://127.0.0.1:9/stream/none', '--hear', input],
  ]) {
    const { code, log } = await run(['--input', input, '--speed', '0', ...target])
    assert.is(code, 1)
    assert.match(log, /^\S+ \S+\.wav is the input; name another file\n$/)
    assert.ok(readFileSync(input).equals(readFileSync(clip)))
  }
})

test('nobody answers: what was not stored is reported, and the exit code says so', async () => {
  const args = ['--input', clip, '--speed', '0', '--url', 'ws://127.0.0.1:9/stream/none', '--drain-seconds', '0.5']
  const { code, out, log } = await run([...args, '--buffer', '8192'])
  assert.is(code, 1)
  const { packets, messages, unconfirmed, isWhole } = JSON.parse(out)
  assert.equal([packets, isWhole], [500, false])
  assert.is(unconfirmed, messages)
  assert.match(log, /connection broken: 1006 .*ECONNREFUSED/)
})

test('a microphone: samples of the recorder, until it ends; silent: the watchdog; missing: one line', async () => {
  const output = join(folder, 'mic.wav')
  const plays = programOf('head -c 64001 /dev/zero')
  const heard = await run(['--recorder', plays, '--output', output, '--model', 'lite'])
  assert.is(heard.code, 0, heard.log)
  assert.is(samplesOf(output), 32000)
  const silent = programOf('exec sleep 60')
  const starved = await run(['--recorder', silent, '--output', output, '--model', 'lite', '--watchdog-seconds', '1'])
  assert.is(starved.code, 1)
  assert.match(starved.log, /no sample for 1 s/)
  assert.is(JSON.parse(starved.out).starved, true)
  const missing = await run(['--recorder', join(folder, 'none'), '--output', output, '--model', 'lite'])
  assert.is(missing.code, 1)
  assert.match(missing.log, /none cannot be run .*; install alsa-utils/)
})

test('systemd hears within what its unit says, however patient the gateway is', async () => {
  const told = join(folder, 'told')
  programOf(`echo "$1" >> ${told}`, 'systemd-notify')
  const recorder = programOf('head -c 32000 /dev/zero; sleep 3')
  const args = ['--recorder', recorder, '--output', join(folder, 'told.wav'), '--model', 'lite']
  const env = { NOTIFY_SOCKET: '/none', WATCHDOG_USEC: '2000000' }
  const { code, log } = await run([...args, '--watchdog-seconds', '600'], undefined, env)
  assert.is(code, 0, log)
  assert.match(readFileSync(told, 'utf8'), /^READY=1\n(WATCHDOG=1\n){3,}$/)
})

test('a microphone that is unplugged: what it gave is denoised, one line says why it ended, exit code 1', async () => {
  const output = join(folder, 'unplugged.wav')
  const fails = programOf('head -c 64000 /dev/zero; exit 1')
  const { code, out, log } = await run(['--recorder', fails, '--output', output, '--model', 'lite'])
  assert.is(code, 1)
  assert.match(log, /recorder-\d+ ended with 1; check --device and --rate/)
  assert.is(JSON.parse(out).samplesOut, 32000)
  assert.is(samplesOf(output), 32000)
})

test('a loudspeaker that goes away is noticed, at once or by the end', async () => {
  programOf('head -c 3000 >/dev/null; exit 3', 'aplay')
  for (const speed of ['0', '8']) {
    const args = ['--input', clip, '--speed', speed, '--output', 'speaker', '--model', 'lite']
    const { code, out, log } = await run(args)
    assert.is(code, 1)
    assert.is(out, '')
    assert.match(log, /^\S+ aplay ended with 3; check --device and --rate\n$/)
  }
  programOf('cat >/dev/null', 'aplay')
  const { code } = await run(['--input', clip, '--speed', '0', '--output', 'speaker', '--model', 'lite'])
  assert.is(code, 0)
})

test('orders that make no sense', async () => {
  for (const args of [[], ['--output', 'speaker', '--url', 'ws://x']])
    assert.match((await run(args)).log, /give either --output \(denoise here\) or --url \(send\)/)
  const unheard = [
    [['--output', 'x.wav', '--hear', 'y.wav'], /'--hear <target>' cannot be used with option '--output <target>'/],
    [['--output', 'x.wav', '--input', clip, '--rate', '48000'], /'--rate <Hz>' cannot be used with option '--input/],
    [['--url', 'ws://x', '--model', 'hq'], /'--model <name>' cannot be used with option '--url <url>'/],
  ] as const
  for (const [args, message] of unheard) assert.match((await run(args)).log, message)
  assert.match((await run(['--output', 'x.wav', '--speed', 'fast'])).log, /Use a number/)
  for (const seconds of ['0', '1e8', 'Infinity'])
    assert.match(
      (await run(['--output', 'x.wav', '--log-seconds', seconds])).log,
      /'--log-seconds <seconds>' .* above 0, at most 2147483\./,
    )
  assert.match((await run(['--url', 'ws://x', '--buffer', '1'])).log, /'--buffer <messages>' .* Use 2\.\.1000000\./)
  for (const packets of ['0', '1.5', '65'])
    assert.match((await run(['--url', 'ws://x', '--packets', packets])).log, /'--packets <count>' .* Use 1\.\.64\./)
})

test.run()
