// `attenuate denoise FOLDER FOLDER`: every WAV file below a folder, into the same places below another. In: two folders. Out: the
// files, a report for each; one that cannot be denoised is named and does not stop the others.

import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { fail } from '../errors.ts'
import { type DenoiseOptions, type DenoiseReport, denoiseFile, isMeasured, prepareDenoising } from './denoise.ts'
import { makeFolder } from './output.ts'
import { isSame } from './place.ts'
import { showProgress } from './progress.ts'

/** Of one file: a report, or why there is none. */
export type FolderReport = DenoiseReport | { readonly input: string; readonly error: string }

/** `onReport` is called file by file; what it says stands above the bar. Throws where nothing can begin, and at the end where files failed. */
export async function denoiseFolder(
  input: string,
  output: string,
  options: DenoiseOptions,
  onReport: (report: FolderReport, say: (line: string) => void) => void,
): Promise<void> {
  if (options.raw !== undefined) fail('OPTION_INVALID', '--raw with a folder', input, 'give one file at a time')
  if (output === '-' || (await isSame(input, output)))
    fail('OPTION_INVALID', 'output of a folder', output, 'give another folder')
  const files = await findAudio(input, output)
  if (files.length === 0) fail('AUDIO_INVALID', 'no WAV files in the folder', input, 'give a folder with .wav files')
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(input, file))).size))
  const prepared = { ...(await prepareDenoising(options)), makesFolder: true }
  await makeFolder(output)
  const bar = showProgress(
    `${files.length} files`,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  let done = 0
  let failed = 0
  try {
    for (const [i, file] of files.entries()) {
      const onProgress = (frames: number, _: unknown, frameBytes: number) => bar.update(done + frames * frameBytes)
      const report = await denoiseOne(join(input, file), join(output, file), { ...prepared, onProgress })
      if ('error' in report) failed++
      done += sizes[i]
      bar.update(done)
      onReport(report, bar.say)
    }
  } finally {
    bar.stop()
  }
  if (failed > 0)
    fail('AUDIO_INVALID', 'files that were not denoised', `${failed} of ${files.length}`, 'see the lines above')
}

async function denoiseOne(input: string, output: string, options: DenoiseOptions): Promise<FolderReport> {
  try {
    return await denoiseFile(input, output, options)
  } catch (error) {
    return { input, error: (error as Error).message }
  }
}

/** Paths relative to `folder`, sorted; without what lies in `except`, which may be inside. */
async function findAudio(folder: string, except: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const outside = resolve(except) + sep
  return entries
    .filter((entry) => entry.isFile() && /\.wave?$/i.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !resolve(path).startsWith(outside))
    .map((path) => relative(folder, path))
    .sort()
}

export function formatFolderReport(report: FolderReport): string {
  if ('error' in report) return `${report.input}: ${report.error}`
  const { output, seconds, realTimeFactor, inputDb, outputDb } = report
  const db = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : 'silence')
  const times = isMeasured(realTimeFactor) ? `, ${Math.round(1 / realTimeFactor)}x real time` : ''
  return `${output}: ${seconds.toFixed(2)} s, ${db(inputDb)} to ${db(outputDb)} dBFS${times}`
}
