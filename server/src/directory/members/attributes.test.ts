import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributeProblem } from './attributes.ts'

const address = { address_line_1: '1 Main St', city: 'Austin', state: 'TX', zipcode: '78701' }

describe('personal attributes', () => {
  test('none, or all within their rules, are accepted', () => {
    for (const attributes of [
      {},
      { date_of_birth: '1990-02-28', phone: '4155550100', plan_id: 'gold', address },
      { date_of_birth: '2024-02-29' },
      { date_of_birth: '1900-01-01' },
      { phone: '+442071838750' },
      { address: { ...address, zipcode: '78701-1234', state: 'PR' } },
      { address: { ...address, zipcode: '787011234', address_line_2: null } },
    ]) {
      assert.equal(attributeProblem(attributes), undefined, JSON.stringify(attributes))
    }
  })

  const refused: [rule: string, texts: string[]][] = [
    [
      'date_of_birth',
      ['1990-02-30', '2023-02-29', '1899-12-31', '2999-01-01', '1990-1-1', '19900101', '', 'x'],
    ],
    ['phone', ['415555010', '41555501000', '+0155550100', '+1', '+1415555010012345', '(415) 555-0100', '']],
  ]
  for (const [field, texts] of refused) {
    test(`a ${field} that breaks its rule is refused by name`, () => {
      for (const text of texts)
        assert.match(attributeProblem({ [field]: text }) ?? text, new RegExp(`^${field} must`))
    })
  }

  test('today is a past day, tomorrow is not', () => {
    const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
    assert.equal(attributeProblem({ date_of_birth: day(0) }), undefined)
    assert.match(attributeProblem({ date_of_birth: day(1) })!, /^date_of_birth/)
  })

  test('an address outside the United States, or with a broken code, is refused by name', () => {
    for (const state of ['tx', 'XX', '', 'TEX']) {
      assert.match(attributeProblem({ address: { ...address, state } })!, /^address.state must/)
    }
    for (const zipcode of ['7870', '787011', '78701-123', '7870a', '']) {
      assert.match(attributeProblem({ address: { ...address, zipcode } })!, /^address.zipcode must/)
    }
  })
})
