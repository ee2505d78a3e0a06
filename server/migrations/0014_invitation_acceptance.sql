-- Invitations that are mailed and accepted: a token, a target, and what acceptance made of it.

alter table invitation
  -- What the person is invited to; neither: the organization. Pending ones are unique by it.
  add column workspace_id uuid,
  add column first_name text,
  add column message text,
  -- How long it lasts, counted anew by a resend.
  add column lifetime_seconds integer,
  -- When its latest mail was written; null: none was.
  add column mailed_at timestamptz,
  -- Who it made, or added to.
  add column member_id uuid,
  add foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  add foreign key (organization_id, member_id) references member (organization_id, id);

update invitation set lifetime_seconds = greatest(60, extract(epoch from expires_at - created_at)::integer);
alter table invitation
  alter column lifetime_seconds set not null,
  add check (member_id is null or status = 'accepted');

drop index invitation_pending;
create unique index invitation_pending on invitation (organization_id, email_key, workspace_id) nulls not distinct
  where status = 'pending';
create index invitation_email on invitation (organization_id, email_key, id);

-- The one way from a presented token to its invitation; holds digests only. A resend replaces the digest, and what
-- has ended keeps it, so that its holder is told why it does not work.
create table invitation_token (
  digest           bytea primary key,
  organization_id  uuid not null,
  invitation_id    uuid not null,
  unique (organization_id, invitation_id),
  foreign key (organization_id, invitation_id) references invitation (organization_id, id)
);
