-- By a column that no change between active and suspended touches: such a change then writes no index.
drop index member_email;
create unique index member_email on member (organization_id, email_key) where can_hold_grants;
drop index member_removed_email;
create index member_removed_email on member (organization_id, email_key) where not can_hold_grants;
