import type { FastifyError, FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { JsonRowsError } from '../../platform/json-rows.ts'
import { isDataException, isUnavailable } from '../../platform/postgres/error-class.ts'

type Issue = z.core.$ZodIssue

/**
 * What went wrong with a request, in the directory's vocabulary: refusals as they are, and what the framework
 * found (schema, media type, size, JSON) in the same terms. Undefined for a fault of ours.
 */
export function toRefusal(error: unknown): DirectoryError | undefined {
  if (error instanceof DirectoryError) return error
  if (error instanceof JsonRowsError) return fromJsonRows(error)
  if (isDataException(error)) {
    return new DirectoryError('request.invalid', 'A value of the request cannot be stored or compared.')
  }
  if (isUnavailable(error)) {
    return new DirectoryError('server.busy', 'The database does not answer right now: try again shortly.')
  }
  return fromFramework(error as Partial<FastifyError>)
}

/** Checks a part of a request against its schema; what is wrong is a refusal that names the field and the rule. */
export const validateRequest: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (data) => {
    const parsed = schema.safeParse(data)
    if (parsed.success) return { value: parsed.data }
    return { error: invalidField(parsed.error.issues[0]!) }
  }
}

/** The refusal that a schema's first issue stands for: names the field and the rule. */
export function invalidField(issue: Issue): DirectoryError {
  const field = fieldPath(issue.path)
  const rule = ruleOf(issue)
  return new DirectoryError('request.invalid', `${field || 'The body'} ${rule}.`, {
    ...(field === '' ? {} : { field }),
    ...(rule.startsWith(REQUIRED) ? { rule: 'required' } : {}),
    ...(issue.code === 'too_big' && (issue.origin === 'string' || issue.origin === 'array')
      ? { rule: 'too_long' }
      : {}),
  })
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((sum, part) => {
    if (typeof part === 'number') return `${sum}[${part}]`
    return sum === '' ? String(part) : `${sum}.${String(part)}`
  }, '')
}

const ARTICLES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const REQUIRED = 'is required'

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = ARTICLES[issue.expected] ?? issue.expected
      if (issue.message.startsWith('must')) return issue.message
      return issue.input === undefined && !issue.message.includes('received')
        ? `${REQUIRED} and must be ${wanted}`
        : issue.message.includes('received undefined')
          ? `${REQUIRED} and must be ${wanted}`
          : `must be ${wanted}`
    }
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
    case 'invalid_value':
      return issue.message.startsWith('must') ? issue.message : `must be one of ${issue.values.join(', ')}`
    default:
      return /^(must|needs|is|has)\b/.test(issue.message) ? issue.message : `is not valid: ${issue.message}`
  }
}

function fromJsonRows(error: JsonRowsError): DirectoryError {
  const code =
    error.reason === 'too_large'
      ? 'request.too_large'
      : error.reason === 'too_many_rows'
        ? 'member_sync.too_many_members'
        : 'request.invalid'
  return new DirectoryError(code, `The body ${error.message}.`)
}

function fromFramework(error: Partial<FastifyError>): DirectoryError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new DirectoryError(
        'request.media_type',
        'The body must be sent as Content-Type: application/json.',
      )
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new DirectoryError('request.too_large', 'The body is larger than this endpoint takes.')
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new DirectoryError('request.invalid', 'The body is empty; JSON is needed.')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new DirectoryError('request.invalid', 'The body is not valid JSON.')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new DirectoryError(
        'request.invalid',
        'The body does not have the length that Content-Length says.',
      )
  }
  const status = error.statusCode ?? 500
  if (status === 413) return new DirectoryError('request.too_large', 'The request is too large.')
  // Whatever else the framework holds against the request (a bad percent-encoding, say) is the request's fault.
  if (status >= 400 && status < 500) return new DirectoryError('request.invalid', 'The request is not valid.')
  return undefined
}
