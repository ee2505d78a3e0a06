import { duration } from './progress.ts'
import type { ReplayReport } from './replay.ts'

const MISMATCHES_SHOWN_MAX = 20

/** The end of a replay in a few lines. */
export function summarize(report: ReplayReport): string {
  const { steps, syncs, seconds, audit } = report
  const rows = [
    ['steps', `${number(steps)} in ${duration(seconds)} (${(steps / seconds).toFixed(1)}/s)`],
    ['member syncs', `${number(syncs)} (${(syncs / seconds).toFixed(1)}/s)`],
    [
      'memberships opened',
      `${number(report.opened)} by the results, ${number(audit.opened)} by the change feed`,
    ],
    [
      'memberships ended',
      `${number(report.ended)} by the results, ${number(audit.ended)} by the change feed`,
    ],
    ['syncs with an effect', number(report.effective)],
    ['changes by syncs', number(audit.syncChanges)],
    ['live groups', number(report.liveGroups)],
    ['live memberships', number(audit.memberships)],
    ['failures', number(report.mismatches.length)],
  ] as const
  return rows.map(([name, value]) => `${name.padEnd(22)}${value}`).join('\n')
}

/** What was not as it should be, the first of it in full; empty if everything was. */
export function describeMismatches(mismatches: readonly string[]): string {
  if (mismatches.length === 0) return ''
  const shown = mismatches.slice(0, MISMATCHES_SHOWN_MAX).map((text) => `  ${text}`)
  const more = mismatches.length - shown.length
  return [
    `The server and the history differ (${mismatches.length}):`,
    ...shown,
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ].join('\n')
}

const number = (value: number) => value.toLocaleString('en')
