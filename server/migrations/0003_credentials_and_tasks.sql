create table api_key (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  name             text not null,
  -- The first characters, for people to tell keys apart.
  hint             text not null,
  scopes           text[] not null,
  -- Set: the key acts as this member. Absent: as the organization.
  member_id        uuid,
  created_at       timestamptz not null,
  expires_at       timestamptz,
  last_used_at     timestamptz,
  revoked_at       timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, member_id) references member (organization_id, id)
);
create index api_key_member on api_key (organization_id, member_id) where member_id is not null;

-- The one way from a presented secret to its organization; holds digests only.
create table credential (
  digest           bytea primary key,
  organization_id  uuid not null,
  api_key_id       uuid not null,
  -- Set: a short-lived access token that was issued for the key.
  expires_at       timestamptz,
  foreign key (organization_id, api_key_id) references api_key (organization_id, id)
);
create index credential_api_key on credential (organization_id, api_key_id);
create index credential_expiry on credential (expires_at) where expires_at is not null;

create table root_key (
  digest      bytea primary key,
  created_at  timestamptz not null
);

-- Background work: one row per kind and key, however often it is asked for.
create table task (
  id               uuid primary key,
  kind             text not null,
  key              text not null,
  organization_id  uuid,
  run_at           timestamptz not null,
  -- Rises with every request for the work: a worker that saw fewer may not end the task.
  wakes            bigint not null default 1,
  attempts         integer not null default 0,
  lease_until      timestamptz,
  lease_token      uuid,
  last_error       text,
  unique (kind, key)
);
create index task_due on task (run_at, id);

-- Answers of requests that carried an Idempotency-Key, written in the operation's own transaction.
create table idempotency_key (
  -- The organization, or the nil UUID for requests that belong to none.
  scope           uuid not null,
  key             text not null,
  request_digest  bytea not null,
  status          integer not null default 0,
  -- Absent where the answer carried a secret: secrets are shown once.
  body            text,
  created_at      timestamptz not null,
  primary key (scope, key)
);
create index idempotency_key_age on idempotency_key (created_at);
