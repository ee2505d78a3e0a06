-- A project belongs to a workspace or to the organization itself, and can be archived.

alter table project
  alter column workspace_id drop not null,
  alter column identifier drop not null,
  add column archived_at timestamptz,
  -- Within a workspace a project is called by its identifier.
  add constraint project_of_workspace_identifier check (workspace_id is null or identifier is not null);

drop index project_identifier;
-- The organization's own projects are one namespace, beside one of each workspace.
create unique index project_identifier on project (organization_id, workspace_id, identifier)
  nulls not distinct where identifier is not null;
create index project_of_workspace on project (organization_id, workspace_id, id) where workspace_id is not null;
