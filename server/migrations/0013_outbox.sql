-- The outbox: mails are written in the transaction of the operation that sends them, and delivered afterwards.

create table mail (
  organization_id  uuid not null references organization (id),
  id               uuid not null,
  recipient        text not null,
  reply_to         text,
  subject          text not null,
  -- What it is for, and what it is about: an invitation's id.
  purpose          text not null check (purpose in ('invitation')),
  about_id         uuid not null,
  -- Both bodies, encrypted: they carry links that work like passwords. Erased as soon as nobody needs them.
  body             text,
  -- Cancelled: what it is about was over before it left.
  status           text not null default 'pending' check (status in ('pending', 'sent', 'failed', 'cancelled')),
  created_at       timestamptz not null,
  -- From then on it is of no use to the recipient.
  expires_at       timestamptz not null,
  next_attempt_at  timestamptz not null,
  attempts         integer not null default 0,
  last_error       text,
  sent_at          timestamptz,
  primary key (organization_id, id),
  check ((status = 'pending') = (body is not null)),
  check ((status = 'sent') = (sent_at is not null))
);
create index mail_due on mail (organization_id, next_attempt_at) where status = 'pending';
create index mail_expiry on mail (expires_at) where status = 'pending';
create index mail_about on mail (organization_id, about_id) where status = 'pending';

-- Secrets of the server itself, where the settings do not give them. Read without an organization.
create table server_secret (
  name   text primary key,
  value  bytea not null
);
