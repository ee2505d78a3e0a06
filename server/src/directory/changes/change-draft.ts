import { uuidV7 } from '../../platform/uuid.ts'
import type { RecordedActor } from '../access/permission.ts'

/** Every kind of change: noun, then what happened to it. */
export const changeKinds = [
  'organization.created',
  'organization.updated',
  'organization.deleted',
  'organization.restored',
  'member.created',
  'member.updated',
  'member.level_changed',
  'member.suspended',
  'member.reactivated',
  'member.removed',
  'member.left',
  'member.merged',
  'workspace.created',
  'workspace.updated',
  'workspace.member_role_set',
  'workspace.member_removed',
  'teamspace.created',
  'teamspace.updated',
  'teamspace.deleted',
  'teamspace.members_added',
  'teamspace.members_removed',
  'teamspace.projects_linked',
  'teamspace.projects_unlinked',
  'page.created',
  'page.updated',
  'page.deleted',
  'group_sync.configured',
  'group_sync.applied',
  'project.created',
  'project.updated',
  'project.archived',
  'project.unarchived',
  'group.created',
  'group.updated',
  'group.deleted',
  'group.member_added',
  'group.member_removed',
  'group.members_synced',
  'role.created',
  'role.updated',
  'role.deleted',
  'role.assigned',
  'role.revoked',
  'invitation.created',
  'invitation.updated',
  'invitations.created',
  'invitation.resent',
  'invitation.revoked',
  'domain.created',
  'domain.updated',
  'domain.verified',
  'domain.proof_missing',
  'domain.proof_found',
  'domain.unverified',
  'domain.deleted',
  'identity_provider.created',
  'identity_provider.updated',
  'identity_provider.deleted',
  'scim_token.created',
  'scim_token.revoked',
  'scim_user.linked',
  'scim_user.updated',
  'scim_group.provisioned',
  'integration.connected',
  'integration.disconnected',
  'integration.environments_mapped',
  'invitation.accepted',
  'grants.expired',
  'plan.applied',
  'plan.discarded',
  'member_sync.cancelled',
  'change.undone',
  'api_key.created',
  'api_key.revoked',
] as const
export type ChangeKind = (typeof changeKinds)[number]

export interface ChangeNumber {
  readonly seq: number
  readonly at: string
}

/** What a change does to the organization's list of groups. */
export interface GroupListEffect {
  /** Groups more, or fewer. */
  readonly count: number
  /** Whether a group left the middle of the list or came back into it. */
  readonly moved: boolean
}

export interface ChangeRecord {
  readonly kind: ChangeKind
  readonly memberId?: string
  readonly groupId?: string
  readonly sourceId?: string
  readonly cause?: { readonly kind: string; readonly id: string }
  readonly detail?: Record<string, unknown>
  readonly undoes?: string
  /** When it took effect, if that was before it was recorded. */
  readonly effectiveAt?: string
  readonly groupList?: GroupListEffect
}

/**
 * The change being made by an open transaction. Rows refer to its id from the start; number and time come last,
 * when the transaction is about to commit (docs/decisions/0003-schema.md).
 */
export class ChangeDraft {
  readonly id = uuidV7()
  opened = 0
  ended = 0
  record: ChangeRecord | undefined
  number: ChangeNumber | undefined
  /** Who is behind it, where that is not who carries it out. */
  actor: RecordedActor | undefined
  /** It decides by the invariants itself: where one is broken, another change came in between, and it is done again. */
  keepsInvariants = false

  /** Its member holds nothing, so that its status is no matter for seats and admins. */
  holdsNothing = false

  /**
   * It most likely touches none of the invariants: that is looked at together with COMMIT, and it is done again where one
   * may be touched.
   */
  expectsUntouched = false

  /** Its row is on its way: it is written by the last statements of the transaction. */
  isRecorded = false

  /** It asks for work that can start once it is committed. */
  requestsTask = false

  /** Says what the operation did. Without it the transaction is not a change and records none. */
  describe(record: ChangeRecord): void {
    if (this.record !== undefined) throw new Error(`a transaction is one change: ${record.kind}`)
    this.record = record
  }

  count(effect: { opened?: number; ended?: number }): void {
    this.opened += effect.opened ?? 0
    this.ended += effect.ended ?? 0
  }
}
