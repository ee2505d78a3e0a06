-- What workspaces hold: projects with a visibility, teamspaces and shared pages.

alter table project
  add column description text,
  -- Whether every member of the workspace may see and join it.
  add column visibility text not null default 'public' check (visibility in ('public', 'private')),
  -- For dialects that know projects by a number; unique on the server, never used again.
  add column alias bigint not null generated always as identity unique;

-- A teamspace is a group of a workspace: a set of members, to which roles on projects are given. Groups of this kind
-- are not in the list of the organization's groups.
alter table org_group add column kind text not null default 'group' check (kind in ('group', 'teamspace'));
drop index org_group_order;
create unique index org_group_order on org_group (organization_id, created_seq)
  where deleted_change is null and kind = 'group';

create table teamspace (
  organization_id  uuid not null,
  -- The group that it is.
  id               uuid not null,
  workspace_id     uuid not null,
  lead_id          uuid,
  description      jsonb not null default '{}',
  primary key (organization_id, id),
  foreign key (organization_id, id) references org_group (organization_id, id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, lead_id) references member (organization_id, id)
);
create index teamspace_of_workspace on teamspace (organization_id, workspace_id, id);

-- Pages themselves are the application's; here is who they are shared with.
create table page (
  organization_id  uuid not null,
  id               uuid not null,
  workspace_id     uuid not null,
  project_id       uuid,
  name             text not null,
  external_reference_id  text,
  version          integer not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (organization_id, id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id),
  foreign key (organization_id, project_id) references project (organization_id, id)
);
create index page_of_workspace on page (organization_id, workspace_id, id);

alter table role
  drop constraint role_resource_check,
  add constraint role_resource_check check (resource in ('organization', 'workspace', 'project', 'page'));

insert into role (organization_id, id, resource, key, name, name_key)
select o.id, uuid_v7(), r.resource, r.key, r.name, lower(r.name)
from organization o, (values
  ('workspace', 'owner', 'Owner'),
  ('project', 'commenter', 'Commenter'), ('project', 'guest', 'Guest'),
  ('page', 'editor', 'Editor'), ('page', 'commenter', 'Commenter'), ('page', 'viewer', 'Viewer')
) r (resource, key, name);

alter table role_grant
  add column page_id uuid,
  -- The target, whatever its kind; null: the organization.
  add column target_id uuid generated always as (coalesce(workspace_id, project_id, page_id)) stored,
  drop constraint role_grant_target,
  add constraint role_grant_target check (num_nonnulls(workspace_id, project_id, page_id) <= 1),
  add constraint role_grant_page foreign key (organization_id, page_id) references page (organization_id, id);

drop index role_grant_live;
create unique index role_grant_live on role_grant (organization_id, member_id, group_id, role_id, target_id, source_id)
  nulls not distinct where ended_change is null;
create index role_grant_on_page on role_grant (organization_id, page_id)
  where ended_change is null and page_id is not null;
