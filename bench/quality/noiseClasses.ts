// What kind of noise a recording is, judged from its file name: name -> class. A table needs few classes with several
// clips each; a single file says little. Unknown names fall into `other`, so any folder can be evaluated.

export const NOISE_CLASSES: readonly [className: string, words: RegExp][] = [
  ['music', /music|guitar|piano|jazz|orchestra/i],
  ['voices', /babble|coffee|cafe|crowd|restaurant|chatter|speech/i],
  ['machines', /engine|chainsaw|helicopter|fan|vacuum|dishwasher|motor|drill|air-?con|train|hum/i],
  ['animals, cries', /dog|rooster|miaow|cat|bird|owl|farm|baby|sneeze|cough|snor/i],
  ['impacts', /clock|typing|keys|keyboard|cherry|footstep|crackling|door|dishes|click/i],
  ['weather, water', /rain|storm|wind|wave|sea|stream|thunder|water|tap/i],
  ['city', /berlin|street|city|traffic|car|station/i],
]

export const classifyNoise = (name: string): string =>
  NOISE_CLASSES.find(([, words]) => words.test(name))?.[0] ?? 'other'
