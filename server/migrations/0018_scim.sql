-- What the SCIM clients of identity providers provision, as they assert it: kept apart from the members and the
-- grants that follow from it (docs/decisions/0015-scim.md).

alter table change drop constraint change_actor_kind_check;
alter table change add constraint change_actor_kind_check
  check (actor_kind in ('root', 'api_key', 'member', 'system', 'scim_connection'));

-- One row of each connection, locked shortly before COMMIT by whoever adds to its lists or takes from them: the order
-- of the lists, and their kept counts. `moves` rises when a row leaves a list: positions after it have moved.
create table scim_roster (
  organization_id  uuid not null,
  connection_id    uuid not null,
  -- Of what the connection gives.
  source_id        uuid not null,
  last_user_seq    bigint not null default 0,
  user_count       bigint not null default 0,
  user_moves       bigint not null default 0,
  last_group_seq   bigint not null default 0,
  group_count      bigint not null default 0,
  group_moves      bigint not null default 0,
  primary key (organization_id, connection_id),
  foreign key (organization_id, connection_id) references identity_provider (organization_id, id),
  foreign key (organization_id, source_id) references grant_source (organization_id, id)
);
insert into grant_source (organization_id, id, kind, ref)
  select organization_id, uuid_v7(), 'scim', id::text from identity_provider on conflict do nothing;
insert into scim_roster (organization_id, connection_id, source_id)
  select p.organization_id, p.id, s.id from identity_provider p
  join grant_source s on s.organization_id = p.organization_id and s.kind = 'scim' and s.ref = p.id::text;

create table scim_user (
  organization_id     uuid not null,
  id                  uuid not null,
  connection_id       uuid not null,
  -- Whom it stands for.
  member_id           uuid not null,
  -- The order of lists, in which later users come last.
  seq                 bigint not null,
  user_name           text not null,
  -- Folded, as everything that is compared without case (directory/scim/fold.ts).
  user_name_key       text not null,
  external_id         text,
  active              boolean not null,
  -- It was this deactivation that suspended the member: activation makes it active again.
  suspended_member    boolean not null default false,
  -- The resource as JSON text, under canonical names; without what the server says (id, meta, groups).
  document            text not null,
  -- What of it can be searched, as it is compared.
  search              jsonb not null,
  email_keys          text[] not null,
  version             integer not null default 1,
  created_at          timestamptz not null,
  updated_at          timestamptz not null,
  primary key (organization_id, id),
  constraint scim_user_member unique (organization_id, member_id),
  foreign key (organization_id, connection_id) references identity_provider (organization_id, id),
  foreign key (organization_id, member_id) references member (organization_id, id)
);
create unique index scim_user_name on scim_user (organization_id, connection_id, user_name_key);
create unique index scim_user_order on scim_user (organization_id, connection_id, seq);
create index scim_user_external_id on scim_user (organization_id, connection_id, external_id)
  where external_id is not null;
create index scim_user_emails on scim_user using gin (email_keys);

-- A group that a connection manages; its members' grants are those of org_group.
create table scim_group (
  organization_id   uuid not null,
  -- That of the group it stands for.
  id                uuid not null,
  connection_id     uuid not null,
  seq               bigint not null,
  display_name      text not null,
  display_name_key  text not null,
  external_id       text,
  -- Rows of scim_group_member, kept so that a page of groups knows what it would load.
  member_count      integer not null default 0,
  version           integer not null default 1,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  primary key (organization_id, id),
  foreign key (organization_id, id) references org_group (organization_id, id),
  foreign key (organization_id, connection_id) references identity_provider (organization_id, id)
);
create unique index scim_group_name on scim_group (organization_id, connection_id, display_name_key);
create unique index scim_group_order on scim_group (organization_id, connection_id, seq);
create index scim_group_external_id on scim_group (organization_id, connection_id, external_id)
  where external_id is not null;

-- Who the connection says is in a group, whatever became of the grants that follow from it.
create table scim_group_member (
  organization_id  uuid not null,
  group_id         uuid not null,
  user_id          uuid not null,
  primary key (organization_id, group_id, user_id),
  constraint scim_group_member_group foreign key (organization_id, group_id)
    references scim_group (organization_id, id),
  constraint scim_group_member_user foreign key (organization_id, user_id)
    references scim_user (organization_id, id)
);
create index scim_group_member_user on scim_group_member (organization_id, user_id, group_id);

-- Members whose groups have changed and whose group sync has not yet followed; a member may stand here many times.
-- Nothing is unique but the id and nothing is referred to, so that noting waits for nobody.
create table scim_group_sync_due (
  organization_id  uuid not null,
  due_at           timestamptz not null default now(),
  id               uuid not null default uuid_v7(),
  member_id        uuid not null,
  primary key (organization_id, due_at, id)
);

-- A plan of a connection has no submission: what is desired is what the connection asserts.
alter table plan alter column member_sync_id drop not null;
