// The project's one error class, as users of the SDK see it: `error.code` is one of a closed list, the message one line.
export { AttenuateError, ERROR_CODES, type ErrorCode, fail } from '../quantize/errors.ts'
