// UTF-8 without TextDecoder and TextEncoder, which AudioWorklets lack. In: bytes or a string. Out: the other.

/** Decodes UTF-8; undefined where the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let escaped = ''
  let plain = ''
  for (const byte of bytes) {
    if (byte < 0x80 && byte !== 0x25) plain += String.fromCharCode(byte)
    else {
      escaped += plain + HEX[byte]
      plain = ''
    }
  }
  if (escaped === '') return plain
  try {
    return decodeURIComponent(escaped + plain)
  } catch {
    return undefined
  }
}

/** Encodes a string; lone surrogates become U+FFFD, as TextEncoder does. */
export function encodeUtf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text.replace(LONE_SURROGATE, '\ufffd'))
  const bytes: number[] = []
  for (let i = 0; i < escaped.length; i++) {
    const percent = escaped[i] === '%'
    bytes.push(percent ? Number.parseInt(escaped.slice(i + 1, i + 3), 16) : escaped.charCodeAt(i))
    if (percent) i += 2
  }
  return Uint8Array.from(bytes)
}

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`)
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
