create table workspace (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  slug             text not null,
  name             text not null,
  metadata         jsonb not null default '{}',
  purchased_seats  integer check (purchased_seats >= 0),
  version          integer not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (organization_id, id)
);
-- Slugs are unique on the server: dialects name a workspace by nothing else. On Citus this is a small global table.
create unique index workspace_slug on workspace (slug);

create table project (
  organization_id  uuid not null,
  id               uuid not null,
  workspace_id     uuid not null,
  -- Like ENG; upper case.
  identifier       text not null,
  name             text not null,
  metadata         jsonb not null default '{}',
  version          integer not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (organization_id, id),
  foreign key (organization_id, workspace_id) references workspace (organization_id, id)
);
create unique index project_identifier on project (organization_id, workspace_id, identifier);
