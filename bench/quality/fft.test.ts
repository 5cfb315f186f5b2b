// FFT and STFT: against the defining sum, and perfect reconstruction.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createFft } from './fft.ts'
import { analyse, synthesise } from './stft.ts'
import { synthesiseNoise } from './syntheticSpeech.ts'

test('agrees with the defining sum', () => {
  const size = 16
  const re = Float64Array.from(synthesiseNoise(size, 1, 1))
  const im = Float64Array.from(synthesiseNoise(size, 1, 2))
  const [r, i] = [re.slice(), im.slice()]
  createFft(size).forward(r, i)
  for (let k = 0; k < size; k++) {
    let sumRe = 0
    let sumIm = 0
    for (let n = 0; n < size; n++) {
      const phase = (-2 * Math.PI * k * n) / size
      sumRe += re[n] * Math.cos(phase) - im[n] * Math.sin(phase)
      sumIm += re[n] * Math.sin(phase) + im[n] * Math.cos(phase)
    }
    assert.ok(Math.abs(r[k] - sumRe) < 1e-12 && Math.abs(i[k] - sumIm) < 1e-12)
  }
})

test('inverse undoes forward', () => {
  const fft = createFft(512)
  const x = Float64Array.from(synthesiseNoise(512, 1, 3))
  const [re, im] = [x.slice(), new Float64Array(512)]
  fft.forward(re, im)
  fft.inverse(re, im)
  for (let n = 0; n < 512; n++) assert.ok(Math.abs(re[n] - x[n]) < 1e-12 && Math.abs(im[n]) < 1e-12)
})

test('refuses other sizes', () => {
  assert.throws(() => createFft(480), /FFT_SIZE: 480/)
})

for (const length of [4096, 5000, 700]) {
  test(`STFT reconstructs ${length} samples, edges included`, () => {
    const x = synthesiseNoise(length, 0.3, 4)
    const y = synthesise(analyse(x, 512, 256), 512, 256, length)
    assert.is(y.length, length)
    // Past the last hop multiple only one window reaches: its square root still divides out.
    for (let n = 0; n < length; n++) assert.ok(Math.abs(y[n] - x[n]) < 1e-6, `sample ${n}: ${y[n]} for ${x[n]}`)
  })
}

test('STFT frame t is centred on t * hop', () => {
  const x = new Float32Array(4096)
  x[1024] = 1
  const energies = analyse(x, 512, 256).map(({ re, im }) => re.reduce((a, v, k) => a + v * v + im[k] * im[k], 0))
  assert.is(energies.indexOf(Math.max(...energies)), 4)
})

test.run()
