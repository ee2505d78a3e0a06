-- Who writes who is in a group finds each user by its organization and its connection and locks it, under the lock of
-- the group; whoever deletes a user, a group or a connection locks it before its memberships go (docs/decisions/0017).
-- A foreign key that says so again would be looked up twice for each member who joins.
alter table scim_group_member
  drop constraint scim_group_member_group,
  drop constraint scim_group_member_user;
