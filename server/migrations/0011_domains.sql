-- Email domains of an organization, and who has proven which.

create table domain (
  organization_id       uuid not null references organization (id),
  id                    uuid not null,
  -- Lower-case A-labels.
  name                  text not null,
  -- What the DNS record has to hold; made once.
  challenge             text not null,
  just_in_time          boolean not null default false,
  sso_enforcement       text not null default ''
    check (sso_enforcement in ('', 'saml', 'oidc', 'google-oauth2', 'github', 'gitlab')),
  identity_provider_id  uuid,
  verified_at           timestamptz,
  -- The last look for the record, and what was wrong with it then.
  checked_at            timestamptz,
  check_problem         text,
  next_check_at         timestamptz,
  -- Since when a verified domain's record is gone.
  proof_missing_since   timestamptz,
  version               integer not null default 1,
  created_at            timestamptz not null,
  updated_at            timestamptz not null,
  primary key (organization_id, id),
  foreign key (organization_id, identity_provider_id) references identity_provider (organization_id, id),
  constraint domain_name unique (organization_id, name),
  -- What reaches other people's sign-in needs the proof.
  check (verified_at is not null or (not just_in_time and sso_enforcement = '' and proof_missing_since is null)),
  check ((verified_at is null) = (next_check_at is null))
);
create index domain_of_provider on domain (organization_id, identity_provider_id)
  where identity_provider_id is not null;
create index domain_check_due on domain (next_check_at) where verified_at is not null;

-- The one way from an address to the organization that has proven its domain. One organization at most: anybody may
-- name a domain, nobody keeps it from the one who can prove it.
create table verified_domain (
  name             text primary key,
  organization_id  uuid not null,
  domain_id        uuid not null,
  unique (organization_id, domain_id),
  foreign key (organization_id, domain_id) references domain (organization_id, id)
);
