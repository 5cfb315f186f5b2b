// `npm run api`: every exported signature of every entry of the package, written to docs/api, one file per entry and
// condition of package.json's exports. In: the built declarations (`npm run build:sdk`); `--to FOLDER` writes elsewhere.
// tests/package/api.test.ts fails where the committed files differ.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { install, root } from './installed.mjs'

const DECLARATIONS = './dist/sdk/'
const OPENING = /```ts\n+/
const END = /\n+\/\/ \(No @packageDocumentation.*$/s

const { values } = parseArgs({ options: { to: { type: 'string', default: join(root, 'docs/api') } } })
install('docs/')
const { CompilerState, Extractor, ExtractorConfig } = createRequire(join(root, 'docs/package.json'))(
  '@microsoft/api-extractor',
)
const scratch = mkdtempSync(join(tmpdir(), 'api-'))
try {
  const entries = findEntries()
  const paths = entries.map(({ types }) => join(root, types))
  const compilerState = CompilerState.create(configure(entries[0]), { additionalEntryPoints: paths.slice(1) })
  mkdirSync(values.to, { recursive: true })
  for (const old of readdirSync(values.to).filter((name) => name.endsWith('.md'))) rmSync(join(values.to, old))
  for (const entry of entries) writeFileSync(join(values.to, `${entry.name}.md`), describe(entry, compilerState))
} finally {
  rmSync(scratch, { recursive: true })
}

/** What `exports` offers types for: where its declarations are, and what users write and have set to get them. */
function findEntries() {
  const found = new Map()
  const visit = (value, path, conditions) => {
    if (typeof value === 'string') return
    if (value.types !== undefined && !found.has(value.types)) {
      const name = value.types.slice(DECLARATIONS.length, -'.d.ts'.length).replace('/index', '')
      found.set(value.types, { name, types: value.types, path, conditions })
    }
    for (const [key, inner] of Object.entries(value)) visit(inner, path, [...conditions, key])
  }
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const [path, value] of Object.entries(exports)) visit(value, path.replace('.', 'attenuate-edge'), [])
  return [...found.values()]
}

function configure({ name, types }) {
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'dom', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  const silent = { default: { logLevel: 'none' } }
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      compiler: { overrideTsconfig: { compilerOptions, files: [join(root, types)] } },
      apiReport: {
        enabled: true,
        includeForgottenExports: true, // base classes are among them
        reportVariants: ['public'],
        reportFileName: name,
        reportFolder: scratch,
        reportTempFolder: join(scratch, 'temporary'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
    },
  })
}

function describe(entry, compilerState) {
  const { errorCount } = Extractor.invoke(configure(entry), {
    compilerState,
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel !== 'error') message.logLevel = 'none'
    },
  })
  if (errorCount > 0) throw new Error(`${entry.types} has errors; run npm run build:sdk`)
  const report = readFileSync(join(scratch, `${entry.name}.public.api.md`), 'utf8').replaceAll('\r\n', '\n')
  const [, signatures] = report.replace(END, '\n').split(OPENING)
  const condition = entry.conditions.length === 0 ? '' : `, condition ${entry.conditions.join(', ')}`
  return [
    `# ${entry.path}${condition}\n`,
    'Made by `npm run api`; what is not exported is here because an exported signature refers to it.\n',
    `\`\`\`ts\n${reachable(signatures)}\`\`\`\n`,
  ].join('\n')
}

/** Without the types that only unlisted signatures (`@internal`) lead to. */
function reachable(signatures) {
  const blocks = signatures.split(/\n\n(?=\/\/ )/).map((text) => ({
    text: text.replaceAll(/^\/\/ @public\n/gm, ''),
    name: /^(?!export)(?:declare )?(?:abstract )?(?:class|const|function|interface|type) (\w+)/m.exec(text)?.[1],
  }))
  const kept = new Set(blocks.filter(({ name }) => name === undefined))
  for (const { text } of kept) {
    for (const block of blocks) if (!kept.has(block) && new RegExp(`\\b${block.name}\\b`).test(text)) kept.add(block)
  }
  return blocks
    .filter((block) => kept.has(block))
    .map(({ text }) => `${text.trim()}\n`)
    .join('\n')
}
