-- Identity providers that an organization has configured, and the tokens their SCIM clients carry.

create table identity_provider (
  organization_id          uuid not null references organization (id),
  id                       uuid not null,
  name                     text not null,
  saml_entity_id           text,
  saml_sso_url             text,
  -- PEM; several while one takes the place of another.
  saml_certificates        text[] not null default '{}',
  oidc_issuer              text,
  oidc_client_id           text,
  -- Encrypted, bound to this row.
  oidc_client_secret       text,
  id_jag_issuer            text,
  id_jag_jwks_url          text,
  -- None: every client.
  id_jag_allowed_clients   text[] not null default '{}',
  scim_enabled             boolean not null default false,
  version                  integer not null default 1,
  created_at               timestamptz not null,
  updated_at               timestamptz not null,
  primary key (organization_id, id)
);

create table scim_token (
  organization_id       uuid not null,
  id                    uuid not null,
  identity_provider_id  uuid not null,
  -- The first characters, for people to tell tokens apart.
  hint                  text not null,
  created_at            timestamptz not null,
  expires_at            timestamptz,
  revoked_at            timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, identity_provider_id) references identity_provider (organization_id, id)
);
create index scim_token_of_provider on scim_token (organization_id, identity_provider_id);

-- The one way from a presented SCIM token to its organization; holds digests only.
create table scim_credential (
  digest           bytea primary key,
  organization_id  uuid not null,
  scim_token_id    uuid not null,
  foreign key (organization_id, scim_token_id) references scim_token (organization_id, id)
);
create index scim_credential_token on scim_credential (organization_id, scim_token_id);
