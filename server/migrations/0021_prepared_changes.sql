-- By a column that no change between active and suspended touches: such a change then writes no index.
drop index member_email;
create unique index member_email on member (organization_id, email_key) where can_hold_grants;
drop index member_removed_email;
create index member_removed_email on member (organization_id, email_key) where not can_hold_grants;

-- Made anew behind it, because indexes are looked at in the order of their making: of somebody whose address and
-- reference are both taken, the address is named first.
drop index member_external_reference;
create unique index member_external_reference on member (organization_id, external_reference_id)
  where external_reference_id is not null;

-- A user belongs to the list of its connection, which whoever creates one holds: its foreign key waits for nobody then.
alter table scim_user drop constraint scim_user_organization_id_connection_id_fkey;
alter table scim_user add foreign key (organization_id, connection_id)
  references scim_roster (organization_id, connection_id);
