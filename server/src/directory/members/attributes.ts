import type { MemberAttributes } from './member.sql.ts'

/** The postal codes of states, the federal district, territories and military mail (USPS Publication 28, B). */
const STATES = new Set(
  (
    'AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK ' +
    'OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI UM FM MH PW AA AE AP'
  ).split(' '),
)
const TEN_DIGITS = /^\d{10}$/
// E.164: a plus sign and at most 15 digits, of which the first is not 0.
const E164 = /^\+[1-9]\d{6,14}$/
const ZIP = /^\d{5}(-?\d{4})?$/
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const YEAR_MIN = 1900

/** Whether a text is a day of the calendar, `YYYY-MM-DD`, from 1900 to today. */
function isPastDay(text: string): boolean {
  const match = DATE.exec(text)
  if (match === null || Number(match[1]) < YEAR_MIN) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) && time <= Date.now()
}

/**
 * The rule that optional personal attributes break, as the end of a sentence that begins with the field; or
 * undefined. Texts are checked for their length by the wire schema.
 */
export function attributeProblem(attributes: MemberAttributes): string | undefined {
  const { date_of_birth: dateOfBirth, phone, address } = attributes
  if (dateOfBirth !== undefined && !isPastDay(dateOfBirth)) {
    return 'date_of_birth must be a past day of the calendar, as YYYY-MM-DD'
  }
  if (phone !== undefined && !TEN_DIGITS.test(phone) && !E164.test(phone)) {
    return 'phone must be 10 digits, or a number in E.164 form such as +14155550100'
  }
  if (address !== undefined) {
    if (!STATES.has(address.state)) return 'address.state must be the two letters of a US state or territory'
    if (!ZIP.test(address.zipcode)) return 'address.zipcode must have 5 or 9 digits'
  }
  return undefined
}
