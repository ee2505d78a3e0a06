const SECONDS_DEFAULT = 360

/** The campaign's seed: given (`ROLLCALL_CAMPAIGN_SEED`), or new; printed, so that a failure can be repeated. */
export function campaignSeed(): number {
  const given = process.env.ROLLCALL_CAMPAIGN_SEED
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  console.log(`campaign seed ${seed}`)
  return seed
}

/** How long it may take (`ROLLCALL_CAMPAIGN_SECONDS`). */
export function campaignSeconds(): number {
  return Number(process.env.ROLLCALL_CAMPAIGN_SECONDS ?? SECONDS_DEFAULT)
}
