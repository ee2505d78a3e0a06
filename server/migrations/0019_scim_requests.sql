-- What the SCIM clients of identity providers asked and were answered, and when their tokens were last used.

alter table scim_token add column last_used_at timestamptz;

-- The one way from the address that a SCIM client was given to its organization, where its token does not work.
create unique index identity_provider_by_id on identity_provider (id);

-- Refers to nothing: it outlives what it tells of, until its time is over. Its id holds the moment of the answer.
create table scim_request (
  organization_id   uuid not null,
  id                uuid not null,
  connection_id     uuid not null,
  -- None: the credential was refused.
  token_id          uuid,
  token_hint        text,
  method            text not null,
  -- The pattern of the path, and the path itself without personal values.
  route             text not null,
  path              text not null,
  status            smallint not null,
  duration_ms       integer not null,
  scim_type         text,
  reason            text,
  user_id           uuid,
  group_id          uuid,
  headers           jsonb not null,
  request_body      jsonb,
  response_body     jsonb,
  -- Above one: of a flood of refused credentials one row stands for many requests.
  times             integer not null default 1,
  created_at        timestamptz not null,
  primary key (organization_id, id)
);
create index scim_request_of_connection on scim_request (organization_id, connection_id, id) include (status, times);
create index scim_request_outcome on scim_request (organization_id, connection_id, (status >= 400), id);
create index scim_request_of_user on scim_request (organization_id, user_id, id) where user_id is not null;
create index scim_request_of_group on scim_request (organization_id, group_id, id) where group_id is not null;
create index scim_request_age on scim_request (created_at);
