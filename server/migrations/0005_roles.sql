-- Roles and their assignments: named sets of permissions, given to members and to groups, on the organization, a
-- workspace or a project.

alter table role
  -- Predefined roles have a key, and what it gives is the program's; custom ones hold their permissions here.
  alter column key drop not null,
  add column resource text not null default 'organization'
    check (resource in ('organization', 'workspace', 'project')),
  -- A role may be one workspace's or one project's own.
  add column workspace_id uuid,
  add column project_id uuid,
  -- What names are compared by.
  add column name_key text,
  add column description text,
  add column permissions text[] not null default '{}',
  add column metadata jsonb not null default '{}',
  add column version integer not null default 1,
  add column created_at timestamptz not null default now(),
  add column updated_at timestamptz not null default now(),
  -- A deleted role keeps its row: what it granted stays explainable.
  add column deleted_change uuid,
  add column can_hold_grants boolean not null generated always as (deleted_change is null) stored,
  add unique (organization_id, id, can_hold_grants),
  add foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  add foreign key (organization_id, project_id) references project (organization_id, id),
  add check (num_nonnulls(workspace_id, project_id) <= 1),
  add check (workspace_id is null or resource <> 'organization'),
  add check (project_id is null or resource = 'project'),
  drop constraint role_organization_id_key_key;

update role set name_key = lower(name);
alter table role alter column name_key set not null;

insert into role (organization_id, id, resource, key, name, name_key)
select o.id, uuid_v7(), r.resource, r.key, r.name, lower(r.name)
from organization o, (values
  ('organization', 'member', 'Member'),
  ('workspace', 'admin', 'Admin'), ('workspace', 'member', 'Member'), ('workspace', 'guest', 'Guest'),
  ('project', 'admin', 'Admin'), ('project', 'member', 'Member'), ('project', 'viewer', 'Viewer')
) r (resource, key, name);

create unique index role_key on role (organization_id, resource, key) where key is not null;
create unique index role_name on role (organization_id, resource, workspace_id, project_id, name_key)
  nulls not distinct where deleted_change is null;
create index role_of_workspace on role (organization_id, workspace_id) where workspace_id is not null;
create index role_of_project on role (organization_id, project_id) where project_id is not null;

-- What a role was before each of its changes, so that the past can be asked what it allowed.
create table role_past (
  organization_id  uuid not null,
  role_id          uuid not null,
  version          integer not null,
  name             text not null,
  permissions      text[] not null,
  ended_change     uuid not null,
  primary key (organization_id, role_id, version),
  foreign key (organization_id, role_id) references role (organization_id, id)
);

alter table role_grant
  alter column member_id drop not null,
  add column group_id uuid,
  add column workspace_id uuid,
  add column project_id uuid,
  -- True while the grant is live: with the foreign keys it says that nobody removed, no deleted group and no deleted
  -- role holds a live grant.
  add column holds boolean generated always as (case when ended_change is null then true end) stored,
  add constraint role_grant_subject check (num_nonnulls(member_id, group_id) = 1),
  add constraint role_grant_target check (num_nonnulls(workspace_id, project_id) <= 1),
  add constraint role_grant_member foreign key (organization_id, member_id, holds)
    references member (organization_id, id, can_hold_grants),
  add constraint role_grant_group foreign key (organization_id, group_id, holds)
    references org_group (organization_id, id, can_hold_grants),
  add constraint role_grant_role foreign key (organization_id, role_id, holds)
    references role (organization_id, id, can_hold_grants),
  add constraint role_grant_workspace foreign key (organization_id, workspace_id)
    references workspace (organization_id, id),
  add constraint role_grant_project foreign key (organization_id, project_id)
    references project (organization_id, id);

drop index role_grant_live;
create unique index role_grant_live on role_grant
  (organization_id, member_id, group_id, role_id, workspace_id, project_id, source_id)
  nulls not distinct where ended_change is null;
create index role_grant_of_group on role_grant (organization_id, group_id)
  where ended_change is null and group_id is not null;
-- Groups with a role, few even where many members have it: who is an owner through a group.
create index role_grant_group_with_role on role_grant (organization_id, role_id)
  where ended_change is null and group_id is not null;
create index role_grant_on_workspace on role_grant (organization_id, workspace_id)
  where ended_change is null and workspace_id is not null;
create index role_grant_on_project on role_grant (organization_id, project_id)
  where ended_change is null and project_id is not null;
create index role_grant_past_member on role_grant (organization_id, member_id)
  where ended_change is not null and member_id is not null;
create index role_grant_past_group on role_grant (organization_id, group_id)
  where ended_change is not null and group_id is not null;

-- The rank of who submitted it: a submission changes nobody above.
alter table member_sync add column actor_level text check (actor_level in ('owner', 'admin', 'member'));
update member_sync set actor_level = case when ranks_as_owner then 'owner' else 'admin' end;
alter table member_sync alter column actor_level set not null, drop column ranks_as_owner;

-- The groups of a member, answered by the index alone.
drop index group_membership_member;
create index group_membership_member on group_membership (organization_id, member_id, group_id) include (expires_at);

-- Which provisioning source manages a group: nobody else changes it or its members.
alter table org_group
  add column managed_by uuid,
  add constraint org_group_managed_by foreign key (organization_id, managed_by)
    references grant_source (organization_id, id);
