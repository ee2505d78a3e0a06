import { existsSync } from 'node:fs'
import { after } from 'node:test'
import { type Browser, chromium } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a browser is on this machine; undefined: nowhere. ROLLCALL_TEST_BROWSER names another one. */
function browserPath(): string | undefined {
  return [process.env.ROLLCALL_TEST_BROWSER ?? '', ...PLACES].find((path) => path !== '' && existsSync(path))
}

/** Why tests with a browser are skipped, or false. */
export const withoutBrowser =
  browserPath() === undefined ? 'no Chromium is installed: set ROLLCALL_TEST_BROWSER to one' : false

let started: Promise<Browser> | undefined
after(async () => {
  await (await started)?.close()
})

/** A real browser, closed after the file's tests. */
export async function openBrowser(): Promise<Browser> {
  // As root, as in containers, it does not start with its sandbox; it is shown nothing but our own pages.
  started ??= chromium.launch({ executablePath: browserPath()!, args: ['--no-sandbox'] })
  return await started
}
