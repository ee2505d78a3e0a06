/**
 * The removal brake of one source: a plan whose removals, with those of the window before it, pass a limit is
 * held until a person decides. A limit that is null does not apply; both null (the start) is no brake.
 */
export interface RemovalBrake {
  /** Removals within the window at most. */
  readonly max_removals: number | null
  /** Removals within the window at most, as a share (0 to 1) of what the source gave at the window's start. */
  readonly max_share: number | null
  /** Length of the sliding window in seconds. */
  readonly window_seconds: number
}

/** How often each API key of an organization may ask one process. */
export interface RateLimit {
  /** Requests a minute that a key may make for as long as it likes. */
  readonly requests_per_minute: number
  /** Requests at once at most; absent: what a second gives, at least 1. */
  readonly burst?: number | undefined
}

export interface OrganizationSettings {
  /** By source; a source that is not named has no brake. */
  readonly removal_brake?:
    | {
        readonly member_sync?: RemovalBrake | undefined
        readonly group_sync?: RemovalBrake | undefined
        readonly scim?: RemovalBrake | undefined
      }
    | undefined
  /** Absent: no limit. */
  readonly rate_limit?: RateLimit | undefined
  /** How long an invitation lasts; absent: three days. */
  readonly invitation_expiry_seconds?: number | undefined
}

export const RATE_LIMIT_MAX = 1_000_000

export const BRAKE_WINDOW_SECONDS_MAX = 7 * 24 * 3600
export const BRAKE_WINDOW_SECONDS_DEFAULT = 3600

export const INVITATION_SECONDS_MIN = 60
export const INVITATION_SECONDS_MAX = 30 * 24 * 3600
export const INVITATION_SECONDS_DEFAULT = 3 * 24 * 3600
