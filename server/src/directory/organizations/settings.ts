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

export interface OrganizationSettings {
  /** By source; a source that is not named has no brake. */
  readonly removal_brake?: { readonly member_sync?: RemovalBrake | undefined } | undefined
}

export const BRAKE_WINDOW_SECONDS_MAX = 7 * 24 * 3600
export const BRAKE_WINDOW_SECONDS_DEFAULT = 3600
