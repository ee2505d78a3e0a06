import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { countStatements } from '../../../test/count-statements.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openProjectWorld, type ProjectWorld, UNKNOWN_ID } from '../../../test/project-world.ts'
import { projectAliases, projectsOfAliases } from './project-aliases.ts'

let opened: TestDatabase
let ours: ProjectWorld
let theirs: ProjectWorld
before(async () => {
  opened = await freshDatabase()
  ours = await openProjectWorld(opened.database)
  theirs = await openProjectWorld(opened.database)
})

describe('the number of a project', () => {
  test('leads to it and from it, in one statement however many there are', async () => {
    const ids = [await ours.project(), await ours.project(), await ours.project()]
    const aliases = await projectAliases(ours.reading(), [...ids, null, UNKNOWN_ID, ids[0]!])
    assert.deepEqual([...aliases.keys()].toSorted(), ids.toSorted())
    assert.equal(new Set(aliases.values()).size, 3)
    const numbers = ids.map((id) => aliases.get(id)!)
    const toId = await projectsOfAliases(ours.reading(), numbers)
    assert.deepEqual(numbers.map(toId), ids)
    for (const read of [
      (some: number) => projectAliases(ours.reading(), ids.slice(0, some)),
      (some: number) => projectsOfAliases(ours.reading(), numbers.slice(0, some)),
    ]) {
      assert.equal(await countStatements(opened.database, () => read(3)), 1)
      assert.equal(await countStatements(opened.database, () => read(0)), 0)
    }
  })

  test('of another organization is as unknown as none', async () => {
    const [mine, foreign] = [await ours.project(), await theirs.project()]
    const own = (await projectAliases(ours.reading(), [mine])).get(mine)!
    const alias = (await projectAliases(theirs.reading(), [foreign])).get(foreign)!
    assert.deepEqual(await projectAliases(ours.reading(), [foreign]), new Map())
    const none = [0, -1, Number.MAX_SAFE_INTEGER]
    const toId = await projectsOfAliases(ours.reading(), [own, alias, ...none])
    assert.equal(toId(own), mine)
    for (const unknown of none) assert.equal(toId(alias), toId(unknown))
    assert.notEqual(toId(alias), foreign)
  })
})
