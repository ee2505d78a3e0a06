import { z } from 'zod'
import { text } from './wire-types.ts'

const TEXT_LENGTH_MAX = 255

export const address = z.object({
  address_line_1: text(TEXT_LENGTH_MAX),
  address_line_2: text(TEXT_LENGTH_MAX, 0).nullish(),
  city: text(TEXT_LENGTH_MAX),
  state: text(2),
  zipcode: text(10),
})

/** Optional personal attributes of a member. Their rules are checked by the directory. */
export const attributes = z.strictObject({
  date_of_birth: text(10).optional(),
  phone: text(32).optional(),
  plan_id: text(TEXT_LENGTH_MAX).optional(),
  address: address.optional(),
})
