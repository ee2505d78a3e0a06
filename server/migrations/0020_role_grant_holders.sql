-- What cannot hold grants any more (a removed member, a deleted group or role) is looked for among the live grants by
-- its foreign key, which asks by `holds`: without these each removal read the roles of everybody.

create index role_grant_held_by_member on role_grant (organization_id, member_id) where holds is not null;
create index role_grant_held_by_group on role_grant (organization_id, group_id) where holds is not null;
create index role_grant_held_role on role_grant (organization_id, role_id) where holds is not null;
