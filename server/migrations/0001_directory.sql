-- The directory: organizations, members, groups, and the grants between them.
--
-- Every tenant row carries organization_id first in its primary key, and every foreign key between tenant rows
-- includes it: a row cannot refer to another tenant's row. `organization` itself is one of the few small tables
-- that are read without an organization (docs/decisions/0003-schema.md).

-- UUIDv7 for rows that SQL itself creates in bulk (PostgreSQL has uuidv7() from version 18 only).
create function uuid_v7() returns uuid language sql volatile parallel safe as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

create table organization (
  id          uuid primary key,
  slug        text not null unique,
  name        text not null,
  metadata    jsonb not null default '{}',
  settings    jsonb not null default '{}',
  version     integer not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  -- Deleted, but restorable until purge_at.
  deleted_at  timestamptz,
  purge_at    timestamptz,
  check ((deleted_at is null) = (purge_at is null))
);
create index organization_purge on organization (purge_at) where purge_at is not null;

-- Number and time of the organization's latest change. The row is locked last before COMMIT, so numbers have no
-- gaps, times rise with them, and whoever sees a change sees all before it. The counts ride along: they serve
-- dialects that page by number.
create table change_counter (
  organization_id  uuid primary key references organization (id),
  last_seq         bigint not null default 0,
  last_at          timestamptz not null,
  group_count      bigint not null default 0,
  -- Rises when a group leaves the list or comes back into it: positions after it have moved.
  group_moves      bigint not null default 0
);

create table member (
  organization_id        uuid not null references organization (id),
  id                     uuid not null,
  email                  text,
  -- What addresses are compared by (directory/members/email.ts).
  email_key              text,
  display_name           text,
  first_name             text,
  last_name              text,
  external_reference_id  text,
  -- Optional personal attributes: date_of_birth, phone, address, plan_id.
  attributes             jsonb not null default '{}',
  metadata               jsonb not null default '{}',
  status                 text not null default 'active' check (status in ('active', 'suspended', 'removed')),
  -- Whose history this removed member was merged into: its reference ids lead there.
  merged_into            uuid,
  version                integer not null default 1,
  created_at             timestamptz not null,
  updated_at             timestamptz not null,
  -- Grants refer to it: a removed member can hold none, whatever runs at the same moment.
  can_hold_grants        boolean not null generated always as (status <> 'removed') stored,
  primary key (organization_id, id),
  unique (organization_id, id, can_hold_grants),
  foreign key (organization_id, merged_into) references member (organization_id, id),
  check ((email is null) = (email_key is null)),
  check (merged_into is null or status = 'removed')
);
create unique index member_email on member (organization_id, email_key) where status <> 'removed';
create index member_merged_into on member (organization_id, merged_into) where merged_into is not null;
create index member_removed_email on member (organization_id, email_key) where status = 'removed';
create unique index member_external_reference on member (organization_id, external_reference_id)
  where external_reference_id is not null;

create table org_group (
  organization_id        uuid not null references organization (id),
  id                     uuid not null,
  name                   text not null,
  external_reference_id  text,
  metadata               jsonb not null default '{}',
  -- The number of the change that created it: the order of lists, in which later groups always come last.
  created_seq            bigint not null,
  version                integer not null default 1,
  created_at             timestamptz not null,
  updated_at             timestamptz not null,
  -- A deleted group keeps its row: what it granted stays explainable.
  deleted_change         uuid,
  can_hold_grants        boolean not null generated always as (deleted_change is null) stored,
  primary key (organization_id, id),
  unique (organization_id, id, can_hold_grants)
);
create unique index org_group_external_reference on org_group (organization_id, external_reference_id)
  where deleted_change is null;
create unique index org_group_order on org_group (organization_id, created_seq) where deleted_change is null;

create table grant_source (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  kind             text not null
    check (kind in ('manual', 'invitation', 'jit', 'scim', 'group_sync', 'member_sync', 'api')),
  ref              text,
  primary key (organization_id, id),
  unique nulls not distinct (organization_id, kind, ref)
);

-- Live memberships: millions of narrow rows. Since and until are the times of the changes they point at.
create table group_membership (
  organization_id  uuid not null,
  group_id         uuid not null,
  member_id        uuid not null,
  source_id        uuid not null,
  opened_change    uuid not null,
  expires_at       timestamptz,
  -- Always true: with the two foreign keys it says that neither a removed member nor a deleted group is in here.
  live             boolean not null default true check (live),
  primary key (organization_id, group_id, member_id, source_id),
  constraint group_membership_group foreign key (organization_id, group_id, live)
    references org_group (organization_id, id, can_hold_grants),
  constraint group_membership_member foreign key (organization_id, member_id, live)
    references member (organization_id, id, can_hold_grants)
);
create index group_membership_member on group_membership (organization_id, member_id, group_id);
create index group_membership_opened on group_membership (organization_id, opened_change);
create index group_membership_expiry on group_membership (expires_at) where expires_at is not null;

create table group_membership_past (
  organization_id  uuid not null,
  group_id         uuid not null,
  member_id        uuid not null,
  source_id        uuid not null,
  opened_change    uuid not null,
  expires_at       timestamptz,
  ended_change     uuid not null,
  primary key (organization_id, group_id, member_id, source_id, opened_change)
);
create index group_membership_past_ended on group_membership_past (organization_id, ended_change);
create index group_membership_past_opened on group_membership_past (organization_id, opened_change);
create index group_membership_past_member on group_membership_past (organization_id, member_id);

create table role (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  key              text not null,
  name             text not null,
  primary key (organization_id, id),
  unique (organization_id, key)
);

-- Roles are thousands of rich rows: live and past in one table.
create table role_grant (
  organization_id  uuid not null,
  id               uuid not null,
  member_id        uuid not null,
  role_id          uuid not null,
  source_id        uuid not null,
  opened_change    uuid not null,
  expires_at       timestamptz,
  ended_change     uuid,
  primary key (organization_id, id),
  foreign key (organization_id, member_id) references member (organization_id, id),
  foreign key (organization_id, role_id) references role (organization_id, id),
  foreign key (organization_id, source_id) references grant_source (organization_id, id)
);
create unique index role_grant_live on role_grant (organization_id, member_id, role_id, source_id)
  where ended_change is null;
create index role_grant_role on role_grant (organization_id, role_id) where ended_change is null;
create index role_grant_expiry on role_grant (expires_at) where ended_change is null and expires_at is not null;
create index role_grant_opened on role_grant (organization_id, opened_change);
create index role_grant_ended on role_grant (organization_id, ended_change) where ended_change is not null;
