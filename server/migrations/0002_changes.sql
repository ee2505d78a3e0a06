-- One row per applied operation: who, why, when, what it opened and ended.
create table change (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  seq              bigint not null,
  at               timestamptz not null,
  -- When it took effect, where that is not when it was recorded (an expiry found later).
  effective_at     timestamptz,
  kind             text not null,
  actor_kind       text not null check (actor_kind in ('root', 'api_key', 'member', 'system')),
  actor_id         uuid,
  -- What led to it: a member sync, a plan, another change, an idempotency key.
  cause_kind       text,
  cause_id         uuid,
  source_id        uuid,
  member_id        uuid,
  group_id         uuid,
  opened_count     integer not null default 0,
  ended_count      integer not null default 0,
  -- Fields before and after, for single operations.
  detail           jsonb not null default '{}',
  undoes           uuid,
  primary key (organization_id, id),
  unique (organization_id, seq),
  foreign key (organization_id, undoes) references change (organization_id, id)
);
create unique index change_undone_once on change (organization_id, undoes) where undoes is not null;
create index change_source on change (organization_id, source_id, at) where ended_count > 0;
create index change_member on change (organization_id, member_id, seq) where member_id is not null;
create index change_group on change (organization_id, group_id, seq) where group_id is not null;
create index change_at on change (organization_id, at);

-- Desired-state submissions, applied in the order of their positions within a group.
create table member_sync (
  organization_id  uuid not null,
  id               uuid not null,
  group_id         uuid not null,
  position         bigint not null,
  status           text not null default 'pending' check (status in
    ('pending', 'held', 'completed', 'cancelled', 'superseded', 'discarded', 'expired', 'failed')),
  actor_kind       text not null,
  actor_id         uuid,
  -- Whether who submitted it may change owners.
  ranks_as_owner   boolean not null,
  row_count        integer not null,
  accepted_at      timestamptz not null,
  completed_at     timestamptz,
  change_id        uuid,
  opened_count     integer,
  ended_count      integer,
  left_count       integer,
  created_members  integer,
  updated_members  integer,
  failure_count    integer,
  primary key (organization_id, id),
  unique (organization_id, group_id, position),
  foreign key (organization_id, group_id) references org_group (organization_id, id)
);
create index member_sync_pending on member_sync (organization_id, group_id, position) where status = 'pending';

-- Rows of a submission that were refused, by their place in it.
create table member_sync_failure (
  organization_id  uuid not null,
  sync_id          uuid not null,
  ordinal          integer not null,
  reference_id     text not null,
  operation        text not null check (operation in ('add', 'remove')),
  reason           text not null,
  primary key (organization_id, sync_id, ordinal),
  foreign key (organization_id, sync_id) references member_sync (organization_id, id)
);

-- What was submitted, a column an array: one row however many members (docs/decisions/0005-member-sync.md).
-- Deleted when the submission has been carried out.
create table member_sync_desired (
  organization_id  uuid not null,
  sync_id          uuid not null,
  reference_ids    text[] not null,
  emails           text[],
  email_keys       text[],
  display_names    text[],
  first_names      text[],
  last_names       text[],
  attributes       text[],
  -- Why a row is refused, found at submission; later replaced by what the row comes to (people.sql.ts).
  outcomes         text[],
  target_ids       uuid[],
  primary key (organization_id, sync_id),
  foreign key (organization_id, sync_id) references member_sync (organization_id, id)
);
-- The arrays are read once, soon: compressing them costs more than it saves.
alter table member_sync_desired
  alter reference_ids set storage external, alter emails set storage external,
  alter email_keys set storage external, alter display_names set storage external,
  alter first_names set storage external, alter last_names set storage external,
  alter attributes set storage external;

-- Gives positions within a group; its row is the lock that submissions of one group take.
create table member_sync_lane (
  organization_id  uuid not null,
  group_id         uuid not null,
  last_position    bigint not null,
  primary key (organization_id, group_id),
  foreign key (organization_id, group_id) references org_group (organization_id, id)
);

-- A plan the brake holds until a person decides.
create table plan (
  organization_id   uuid not null,
  id                uuid not null,
  group_id          uuid not null,
  source_id         uuid not null,
  member_sync_id    uuid not null,
  status            text not null default 'held'
    check (status in ('held', 'applied', 'discarded', 'superseded', 'expired')),
  -- The sentence that says which limit was passed.
  reason            text not null,
  -- The number of the latest change when it was computed.
  base_seq          bigint not null,
  open_count        integer not null,
  end_count         integer not null,
  new_member_count  integer not null,
  created_at        timestamptz not null,
  expires_at        timestamptz not null,
  decided_at        timestamptz,
  decided_by_kind   text,
  decided_by_id     uuid,
  change_id         uuid,
  primary key (organization_id, id),
  foreign key (organization_id, group_id) references org_group (organization_id, id),
  foreign key (organization_id, source_id) references grant_source (organization_id, id),
  foreign key (organization_id, member_sync_id) references member_sync (organization_id, id)
);
create unique index plan_held on plan (organization_id, group_id, source_id) where status = 'held';
create index plan_expiry on plan (expires_at) where status = 'held';

-- Who a held plan would open or end. A person it would create has a reference id only.
create table plan_entry (
  organization_id  uuid not null,
  plan_id          uuid not null,
  ordinal          integer not null,
  effect           text not null check (effect in ('open', 'end')),
  member_id        uuid,
  reference_id     text,
  primary key (organization_id, plan_id, ordinal),
  foreign key (organization_id, plan_id) references plan (organization_id, id)
);
