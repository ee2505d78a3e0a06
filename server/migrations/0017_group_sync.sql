-- Group sync: which roles in a workspace the groups of an identity provider stand for, and what each member's groups
-- were when they were last told.

create table group_sync_config (
  organization_id            uuid not null,
  workspace_id               uuid not null,
  id                         uuid not null,
  -- Of what this workspace's sync gives.
  source_id                  uuid not null,
  is_enabled                 boolean not null default false,
  sync_on_login              boolean not null default true,
  auto_remove                boolean not null default false,
  sync_offline               boolean not null default false,
  -- The claim that holds the groups.
  group_attribute_key        text not null default 'groups',
  default_workspace_role_id  uuid,
  version                    integer not null default 1,
  created_at                 timestamptz not null,
  updated_at                 timestamptz not null,
  primary key (organization_id, workspace_id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, source_id) references grant_source (organization_id, id),
  foreign key (organization_id, default_workspace_role_id) references role (organization_id, id)
);

-- A group of the identity provider and the role it stands for, in the workspace or on its projects. A mapping of a
-- deleted role counts for nothing, and comes back with the role.
create table group_sync_mapping (
  organization_id  uuid not null,
  id               uuid not null,
  workspace_id     uuid not null,
  -- Compared exactly.
  idp_group_name   text not null,
  role_id          uuid not null,
  kind             text not null check (kind in ('workspace', 'project', 'all_projects')),
  project_id       uuid,
  version          integer not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (organization_id, id),
  -- One of a group for the workspace, one for all of its projects, one for each project.
  constraint group_sync_mapping_place
    unique nulls not distinct (organization_id, workspace_id, idp_group_name, kind, project_id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, role_id) references role (organization_id, id),
  foreign key (organization_id, project_id) references project (organization_id, id),
  check ((kind = 'project') = (project_id is not null))
);

-- The groups that a member was last said to be in, so that a mapping made later applies to it.
create table group_claim (
  organization_id  uuid not null,
  workspace_id     uuid not null,
  member_id        uuid not null,
  groups           text[] not null,
  origin           text not null check (origin in ('login', 'offline', 'scim', 'api')),
  claimed_at       timestamptz not null,
  primary key (organization_id, workspace_id, member_id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, member_id) references member (organization_id, id)
);
