-- Invitations: offers to become a member, bound to an organization and an address.

create table invitation (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  email            text not null,
  -- What addresses are compared by.
  email_key        text not null,
  level            text not null check (level in ('owner', 'admin', 'member')),
  -- One that is past its end counts as expired everywhere; it is stored as such when another one takes its place.
  status           text not null default 'pending'
    check (status in ('pending', 'accepted', 'revoked', 'expired')),
  invited_by_kind  text not null check (invited_by_kind in ('root', 'api_key', 'member', 'system')),
  invited_by_id    uuid,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  accepted_at      timestamptz,
  revoked_at       timestamptz,
  primary key (organization_id, id),
  check ((status = 'accepted') = (accepted_at is not null)),
  check ((status = 'revoked') = (revoked_at is not null))
);
create unique index invitation_pending on invitation (organization_id, email_key) where status = 'pending';

-- The roles that its acceptance gives, beside the level.
create table invitation_grant (
  organization_id  uuid not null,
  invitation_id    uuid not null,
  ordinal          integer not null,
  role_id          uuid not null,
  -- Where it gives the role; neither: on the organization.
  workspace_id     uuid,
  project_id       uuid,
  primary key (organization_id, invitation_id, ordinal),
  foreign key (organization_id, invitation_id) references invitation (organization_id, id),
  foreign key (organization_id, role_id) references role (organization_id, id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, project_id) references project (organization_id, id),
  check (num_nonnulls(workspace_id, project_id) <= 1),
  unique nulls not distinct (organization_id, invitation_id, role_id, workspace_id, project_id)
);
