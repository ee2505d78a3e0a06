-- Pages that are deleted, and what a teamspace looks like.

alter table teamspace add column logo jsonb not null default '{}';

alter table page
  -- A deleted page keeps its row: who it was shared with stays explainable.
  add column deleted_change uuid,
  add column can_hold_grants boolean not null generated always as (deleted_change is null) stored,
  add unique (organization_id, id, can_hold_grants);
create index page_external_reference on page (organization_id, workspace_id, external_reference_id)
  where deleted_change is null and external_reference_id is not null;

-- As for members, groups and roles: no deleted page is the target of a live grant.
alter table role_grant
  drop constraint role_grant_page,
  add constraint role_grant_page foreign key (organization_id, page_id, holds)
    references page (organization_id, id, can_hold_grants);
