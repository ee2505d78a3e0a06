-- Who is on a project, read page by page in the order of members or groups.

drop index role_grant_on_project;
create index role_grant_on_project on role_grant (organization_id, project_id, member_id, group_id)
  where ended_change is null and project_id is not null;
