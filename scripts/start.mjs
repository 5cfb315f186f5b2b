// `npm start`: from a fresh checkout to a denoised file. Installs what is missing, builds, denoises the bundled clip and
// leaves out/noisy.wav, out/clean.wav and out/spectrograms.png.

import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { install, root, run } from './installed.mjs'

const clip = 'examples/clip/noisy.wav'
const attenuate = (...args) => run(process.execPath, ['dist/sdk/cli/index.js', ...args])

install()
run('npm', ['run', '--silent', 'build'])
mkdirSync(join(root, 'out'), { recursive: true })
copyFileSync(join(root, clip), join(root, 'out/noisy.wav'))
attenuate('denoise', 'out/noisy.wav', 'out/clean.wav')
attenuate('compare', 'out/noisy.wav', 'out/clean.wav', '-o', 'out/spectrograms.png')
console.log('\nListen to out/noisy.wav and out/clean.wav, look at out/spectrograms.png.')
