import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startServerProcess } from '../test/harness.ts'

const README = new URL('../../README.md', import.meta.url)
const ROOT_KEY = 'choose-a-long-random-key'

/** The commands of "First success", those of the second terminal: from the marker to the next heading. */
async function commands(): Promise<string> {
  const readme = await readFile(README, 'utf8')
  const section =
    readme.split('<!-- tried by server/src/readme.process.test.ts -->')[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('\n')
}

test("the README's first success works as written: three people are in, with since and source", async () => {
  assert.match(await readFile(README, 'utf8'), new RegExp(`ROLLCALL_ROOT_KEY=${ROOT_KEY} npm start`))
  const server = await startServerProcess({ env: { ROLLCALL_ROOT_KEY: ROOT_KEY } })
  const script = (await commands()).replace('http://127.0.0.1:8484', server.url)
  // A person types slower than a script runs: the submission is carried out in the background.
  const typed = script.replace('get() {', 'sleep 1\nget() {')
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', typed])
  assert.equal(stderr, '')
  const answers = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  const objects = answers.map((answer) => answer.object ?? answer.data?.[0]?.object)
  assert.deepEqual(objects, [
    'organization',
    'preview',
    'member_sync',
    'group_member',
    'member_access',
    'change',
  ])
  const [, preview, , members, access] = answers
  assert.equal(preview.opened, 3)
  assert.deepEqual(members.data.map((member: { display_name: string }) => member.display_name).sort(), [
    'Ada Lovelace',
    'Alan Turing',
    'Grace Hopper',
  ])
  assert.equal(access.member.display_name, 'Ada Lovelace')
  assert.equal(access.grants[0].source, 'member_sync')
  assert.match(access.grants[0].since, /^\d{4}-/)
})
