/**
 * Every label under which the record that proves a domain may stand. The Directory API tells people the first; each
 * further one is what a dialect tells them. A challenge belongs to one domain of one organization, so it proves the
 * same at each.
 */
export const challengeLabels = ['_rollcall-challenge', '_posthog-challenge'] as const
