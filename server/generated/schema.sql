-- Written by npm run generate from the migrations; never edited.

CREATE OR REPLACE FUNCTION public.uuid_v7()
 RETURNS uuid
 LANGUAGE sql
 PARALLEL SAFE
AS $function$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid
$function$;

create table api_key (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  hint text not null,
  scopes text[] not null,
  member_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_key_pkey PRIMARY KEY (organization_id, id),
  constraint api_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint api_key_organization_id_member_id_fkey FOREIGN KEY (organization_id, member_id) REFERENCES member(organization_id, id)
);

create table change (
  organization_id uuid not null,
  id uuid not null,
  seq bigint not null,
  at timestamp with time zone not null,
  effective_at timestamp with time zone,
  kind text not null,
  actor_kind text not null,
  actor_id uuid,
  cause_kind text,
  cause_id uuid,
  source_id uuid,
  member_id uuid,
  group_id uuid,
  opened_count integer default 0 not null,
  ended_count integer default 0 not null,
  detail jsonb default '{}'::jsonb not null,
  undoes uuid,
  constraint change_pkey PRIMARY KEY (organization_id, id),
  constraint change_organization_id_seq_key UNIQUE (organization_id, seq),
  constraint change_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['root'::text, 'api_key'::text, 'member'::text, 'system'::text, 'scim_connection'::text]))),
  constraint change_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint change_organization_id_undoes_fkey FOREIGN KEY (organization_id, undoes) REFERENCES change(organization_id, id)
);

create table change_counter (
  organization_id uuid not null,
  last_seq bigint default 0 not null,
  last_at timestamp with time zone not null,
  group_count bigint default 0 not null,
  group_moves bigint default 0 not null,
  constraint change_counter_pkey PRIMARY KEY (organization_id),
  constraint change_counter_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

create table credential (
  digest bytea not null,
  organization_id uuid not null,
  api_key_id uuid not null,
  expires_at timestamp with time zone,
  constraint credential_pkey PRIMARY KEY (digest),
  constraint credential_organization_id_api_key_id_fkey FOREIGN KEY (organization_id, api_key_id) REFERENCES api_key(organization_id, id)
);

create table domain (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  challenge text not null,
  just_in_time boolean default false not null,
  sso_enforcement text default ''::text not null,
  identity_provider_id uuid,
  verified_at timestamp with time zone,
  checked_at timestamp with time zone,
  check_problem text,
  next_check_at timestamp with time zone,
  proof_missing_since timestamp with time zone,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint domain_pkey PRIMARY KEY (organization_id, id),
  constraint domain_name UNIQUE (organization_id, name),
  constraint domain_check CHECK (((verified_at IS NOT NULL) OR ((NOT just_in_time) AND (sso_enforcement = ''::text) AND (proof_missing_since IS NULL)))),
  constraint domain_check1 CHECK (((verified_at IS NULL) = (next_check_at IS NULL))),
  constraint domain_sso_enforcement_check CHECK ((sso_enforcement = ANY (ARRAY[''::text, 'saml'::text, 'oidc'::text, 'google-oauth2'::text, 'github'::text, 'gitlab'::text]))),
  constraint domain_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint domain_organization_id_identity_provider_id_fkey FOREIGN KEY (organization_id, identity_provider_id) REFERENCES identity_provider(organization_id, id)
);

create table grant_source (
  organization_id uuid not null,
  id uuid not null,
  kind text not null,
  ref text,
  constraint grant_source_pkey PRIMARY KEY (organization_id, id),
  constraint grant_source_organization_id_kind_ref_key UNIQUE NULLS NOT DISTINCT (organization_id, kind, ref),
  constraint grant_source_kind_check CHECK ((kind = ANY (ARRAY['manual'::text, 'invitation'::text, 'jit'::text, 'scim'::text, 'group_sync'::text, 'member_sync'::text, 'api'::text]))),
  constraint grant_source_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

create table group_claim (
  organization_id uuid not null,
  workspace_id uuid not null,
  member_id uuid not null,
  groups text[] not null,
  origin text not null,
  claimed_at timestamp with time zone not null,
  constraint group_claim_pkey PRIMARY KEY (organization_id, workspace_id, member_id),
  constraint group_claim_origin_check CHECK ((origin = ANY (ARRAY['login'::text, 'offline'::text, 'scim'::text, 'api'::text]))),
  constraint group_claim_organization_id_member_id_fkey FOREIGN KEY (organization_id, member_id) REFERENCES member(organization_id, id),
  constraint group_claim_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table group_membership (
  organization_id uuid not null,
  group_id uuid not null,
  member_id uuid not null,
  source_id uuid not null,
  opened_change uuid not null,
  expires_at timestamp with time zone,
  live boolean default true not null,
  constraint group_membership_pkey PRIMARY KEY (organization_id, group_id, member_id, source_id),
  constraint group_membership_live_check CHECK (live),
  constraint group_membership_group FOREIGN KEY (organization_id, group_id, live) REFERENCES org_group(organization_id, id, can_hold_grants),
  constraint group_membership_member FOREIGN KEY (organization_id, member_id, live) REFERENCES member(organization_id, id, can_hold_grants)
);

create table group_membership_past (
  organization_id uuid not null,
  group_id uuid not null,
  member_id uuid not null,
  source_id uuid not null,
  opened_change uuid not null,
  expires_at timestamp with time zone,
  ended_change uuid not null,
  constraint group_membership_past_pkey PRIMARY KEY (organization_id, group_id, member_id, source_id, opened_change)
);

create table group_sync_config (
  organization_id uuid not null,
  workspace_id uuid not null,
  id uuid not null,
  source_id uuid not null,
  is_enabled boolean default false not null,
  sync_on_login boolean default true not null,
  auto_remove boolean default false not null,
  sync_offline boolean default false not null,
  group_attribute_key text default 'groups'::text not null,
  default_workspace_role_id uuid,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint group_sync_config_pkey PRIMARY KEY (organization_id, workspace_id),
  constraint group_sync_config_organization_id_default_workspace_role_i_fkey FOREIGN KEY (organization_id, default_workspace_role_id) REFERENCES role(organization_id, id),
  constraint group_sync_config_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES grant_source(organization_id, id),
  constraint group_sync_config_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table group_sync_mapping (
  organization_id uuid not null,
  id uuid not null,
  workspace_id uuid not null,
  idp_group_name text not null,
  role_id uuid not null,
  kind text not null,
  project_id uuid,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint group_sync_mapping_pkey PRIMARY KEY (organization_id, id),
  constraint group_sync_mapping_place UNIQUE NULLS NOT DISTINCT (organization_id, workspace_id, idp_group_name, kind, project_id),
  constraint group_sync_mapping_check CHECK (((kind = 'project'::text) = (project_id IS NOT NULL))),
  constraint group_sync_mapping_kind_check CHECK ((kind = ANY (ARRAY['workspace'::text, 'project'::text, 'all_projects'::text]))),
  constraint group_sync_mapping_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES project(organization_id, id),
  constraint group_sync_mapping_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES role(organization_id, id),
  constraint group_sync_mapping_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table idempotency_key (
  scope uuid not null,
  key text not null,
  request_digest bytea not null,
  status integer default 0 not null,
  body text,
  created_at timestamp with time zone not null,
  constraint idempotency_key_pkey PRIMARY KEY (scope, key)
);

create table identity_provider (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  saml_entity_id text,
  saml_sso_url text,
  saml_certificates text[] default '{}'::text[] not null,
  oidc_issuer text,
  oidc_client_id text,
  oidc_client_secret text,
  id_jag_issuer text,
  id_jag_jwks_url text,
  id_jag_allowed_clients text[] default '{}'::text[] not null,
  scim_enabled boolean default false not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint identity_provider_pkey PRIMARY KEY (organization_id, id),
  constraint identity_provider_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

create table integration (
  organization_id uuid not null,
  id uuid not null,
  kind text not null,
  integration_id text,
  config jsonb default '{}'::jsonb not null,
  secrets text,
  production_project_id uuid,
  preview_project_id uuid,
  development_project_id uuid,
  created_by_kind text not null,
  created_by_id uuid,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint integration_pkey PRIMARY KEY (organization_id, id),
  constraint integration_connection UNIQUE NULLS NOT DISTINCT (organization_id, kind, integration_id),
  constraint integration_check CHECK ((num_nonnulls(production_project_id, preview_project_id, development_project_id) = ANY (ARRAY[0, 3]))),
  constraint integration_created_by_kind_check CHECK ((created_by_kind = ANY (ARRAY['root'::text, 'api_key'::text, 'member'::text, 'system'::text]))),
  constraint integration_organization_id_development_project_id_fkey FOREIGN KEY (organization_id, development_project_id) REFERENCES project(organization_id, id),
  constraint integration_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint integration_organization_id_preview_project_id_fkey FOREIGN KEY (organization_id, preview_project_id) REFERENCES project(organization_id, id),
  constraint integration_organization_id_production_project_id_fkey FOREIGN KEY (organization_id, production_project_id) REFERENCES project(organization_id, id)
);

create table invitation (
  organization_id uuid not null,
  id uuid not null,
  email text not null,
  email_key text not null,
  level text not null,
  status text default 'pending'::text not null,
  invited_by_kind text not null,
  invited_by_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  revoked_at timestamp with time zone,
  workspace_id uuid,
  first_name text,
  message text,
  lifetime_seconds integer not null,
  mailed_at timestamp with time zone,
  member_id uuid,
  constraint invitation_pkey PRIMARY KEY (organization_id, id),
  constraint invitation_check CHECK (((status = 'accepted'::text) = (accepted_at IS NOT NULL))),
  constraint invitation_check1 CHECK (((status = 'revoked'::text) = (revoked_at IS NOT NULL))),
  constraint invitation_check2 CHECK (((member_id IS NULL) OR (status = 'accepted'::text))),
  constraint invitation_invited_by_kind_check CHECK ((invited_by_kind = ANY (ARRAY['root'::text, 'api_key'::text, 'member'::text, 'system'::text]))),
  constraint invitation_level_check CHECK ((level = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text]))),
  constraint invitation_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'accepted'::text, 'revoked'::text, 'expired'::text]))),
  constraint invitation_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint invitation_organization_id_member_id_fkey FOREIGN KEY (organization_id, member_id) REFERENCES member(organization_id, id),
  constraint invitation_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table invitation_grant (
  organization_id uuid not null,
  invitation_id uuid not null,
  ordinal integer not null,
  role_id uuid not null,
  workspace_id uuid,
  project_id uuid,
  constraint invitation_grant_pkey PRIMARY KEY (organization_id, invitation_id, ordinal),
  constraint invitation_grant_organization_id_invitation_id_role_id_work_key UNIQUE NULLS NOT DISTINCT (organization_id, invitation_id, role_id, workspace_id, project_id),
  constraint invitation_grant_check CHECK ((num_nonnulls(workspace_id, project_id) <= 1)),
  constraint invitation_grant_organization_id_invitation_id_fkey FOREIGN KEY (organization_id, invitation_id) REFERENCES invitation(organization_id, id),
  constraint invitation_grant_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES project(organization_id, id),
  constraint invitation_grant_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES role(organization_id, id),
  constraint invitation_grant_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table invitation_token (
  digest bytea not null,
  organization_id uuid not null,
  invitation_id uuid not null,
  constraint invitation_token_pkey PRIMARY KEY (digest),
  constraint invitation_token_organization_id_invitation_id_key UNIQUE (organization_id, invitation_id),
  constraint invitation_token_organization_id_invitation_id_fkey FOREIGN KEY (organization_id, invitation_id) REFERENCES invitation(organization_id, id)
);

create table mail (
  organization_id uuid not null,
  id uuid not null,
  recipient text not null,
  reply_to text,
  subject text not null,
  purpose text not null,
  about_id uuid not null,
  body text,
  status text default 'pending'::text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  next_attempt_at timestamp with time zone not null,
  attempts integer default 0 not null,
  last_error text,
  sent_at timestamp with time zone,
  constraint mail_pkey PRIMARY KEY (organization_id, id),
  constraint mail_check CHECK (((status = 'pending'::text) = (body IS NOT NULL))),
  constraint mail_check1 CHECK (((status = 'sent'::text) = (sent_at IS NOT NULL))),
  constraint mail_purpose_check CHECK ((purpose = 'invitation'::text)),
  constraint mail_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text, 'cancelled'::text]))),
  constraint mail_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

create table member (
  organization_id uuid not null,
  id uuid not null,
  email text,
  email_key text,
  display_name text,
  first_name text,
  last_name text,
  external_reference_id text,
  attributes jsonb default '{}'::jsonb not null,
  metadata jsonb default '{}'::jsonb not null,
  status text default 'active'::text not null,
  merged_into uuid,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  can_hold_grants boolean generated always as ((status <> 'removed'::text)) stored not null,
  constraint member_pkey PRIMARY KEY (organization_id, id),
  constraint member_organization_id_id_can_hold_grants_key UNIQUE (organization_id, id, can_hold_grants),
  constraint member_check CHECK (((email IS NULL) = (email_key IS NULL))),
  constraint member_check1 CHECK (((merged_into IS NULL) OR (status = 'removed'::text))),
  constraint member_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'removed'::text]))),
  constraint member_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint member_organization_id_merged_into_fkey FOREIGN KEY (organization_id, merged_into) REFERENCES member(organization_id, id)
);

create table member_sync (
  organization_id uuid not null,
  id uuid not null,
  group_id uuid not null,
  "position" bigint not null,
  status text default 'pending'::text not null,
  actor_kind text not null,
  actor_id uuid,
  row_count integer not null,
  accepted_at timestamp with time zone not null,
  completed_at timestamp with time zone,
  change_id uuid,
  opened_count integer,
  ended_count integer,
  left_count integer,
  created_members integer,
  updated_members integer,
  failure_count integer,
  actor_level text not null,
  constraint member_sync_pkey PRIMARY KEY (organization_id, id),
  constraint member_sync_organization_id_group_id_position_key UNIQUE (organization_id, group_id, "position"),
  constraint member_sync_actor_level_check CHECK ((actor_level = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text]))),
  constraint member_sync_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'held'::text, 'completed'::text, 'cancelled'::text, 'superseded'::text, 'discarded'::text, 'expired'::text, 'failed'::text]))),
  constraint member_sync_organization_id_group_id_fkey FOREIGN KEY (organization_id, group_id) REFERENCES org_group(organization_id, id)
);

create table member_sync_desired (
  organization_id uuid not null,
  sync_id uuid not null,
  reference_ids text[] not null,
  emails text[],
  email_keys text[],
  display_names text[],
  first_names text[],
  last_names text[],
  attributes text[],
  outcomes text[],
  target_ids uuid[],
  constraint member_sync_desired_pkey PRIMARY KEY (organization_id, sync_id),
  constraint member_sync_desired_organization_id_sync_id_fkey FOREIGN KEY (organization_id, sync_id) REFERENCES member_sync(organization_id, id)
);

create table member_sync_failure (
  organization_id uuid not null,
  sync_id uuid not null,
  ordinal integer not null,
  reference_id text not null,
  operation text not null,
  reason text not null,
  constraint member_sync_failure_pkey PRIMARY KEY (organization_id, sync_id, ordinal),
  constraint member_sync_failure_operation_check CHECK ((operation = ANY (ARRAY['add'::text, 'remove'::text]))),
  constraint member_sync_failure_organization_id_sync_id_fkey FOREIGN KEY (organization_id, sync_id) REFERENCES member_sync(organization_id, id)
);

create table member_sync_lane (
  organization_id uuid not null,
  group_id uuid not null,
  last_position bigint not null,
  constraint member_sync_lane_pkey PRIMARY KEY (organization_id, group_id),
  constraint member_sync_lane_organization_id_group_id_fkey FOREIGN KEY (organization_id, group_id) REFERENCES org_group(organization_id, id)
);

create table org_group (
  organization_id uuid not null,
  id uuid not null,
  name text not null,
  external_reference_id text,
  metadata jsonb default '{}'::jsonb not null,
  created_seq bigint not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_change uuid,
  can_hold_grants boolean generated always as ((deleted_change IS NULL)) stored not null,
  managed_by uuid,
  kind text default 'group'::text not null,
  constraint org_group_pkey PRIMARY KEY (organization_id, id),
  constraint org_group_organization_id_id_can_hold_grants_key UNIQUE (organization_id, id, can_hold_grants),
  constraint org_group_kind_check CHECK ((kind = ANY (ARRAY['group'::text, 'teamspace'::text]))),
  constraint org_group_managed_by FOREIGN KEY (organization_id, managed_by) REFERENCES grant_source(organization_id, id),
  constraint org_group_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

create table organization (
  id uuid not null,
  slug text not null,
  name text not null,
  metadata jsonb default '{}'::jsonb not null,
  settings jsonb default '{}'::jsonb not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  purge_at timestamp with time zone,
  constraint organization_pkey PRIMARY KEY (id),
  constraint organization_slug_key UNIQUE (slug),
  constraint organization_check CHECK (((deleted_at IS NULL) = (purge_at IS NULL)))
);

create table page (
  organization_id uuid not null,
  id uuid not null,
  workspace_id uuid not null,
  project_id uuid,
  name text not null,
  external_reference_id text,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_change uuid,
  can_hold_grants boolean generated always as ((deleted_change IS NULL)) stored not null,
  constraint page_pkey PRIMARY KEY (organization_id, id),
  constraint page_organization_id_id_can_hold_grants_key UNIQUE (organization_id, id, can_hold_grants),
  constraint page_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES project(organization_id, id),
  constraint page_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table plan (
  organization_id uuid not null,
  id uuid not null,
  group_id uuid not null,
  source_id uuid not null,
  member_sync_id uuid,
  status text default 'held'::text not null,
  reason text not null,
  base_seq bigint not null,
  open_count integer not null,
  end_count integer not null,
  new_member_count integer not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  decided_at timestamp with time zone,
  decided_by_kind text,
  decided_by_id uuid,
  change_id uuid,
  constraint plan_pkey PRIMARY KEY (organization_id, id),
  constraint plan_status_check CHECK ((status = ANY (ARRAY['held'::text, 'applied'::text, 'discarded'::text, 'superseded'::text, 'expired'::text]))),
  constraint plan_organization_id_group_id_fkey FOREIGN KEY (organization_id, group_id) REFERENCES org_group(organization_id, id),
  constraint plan_organization_id_member_sync_id_fkey FOREIGN KEY (organization_id, member_sync_id) REFERENCES member_sync(organization_id, id),
  constraint plan_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES grant_source(organization_id, id)
);

create table plan_entry (
  organization_id uuid not null,
  plan_id uuid not null,
  ordinal integer not null,
  effect text not null,
  member_id uuid,
  reference_id text,
  constraint plan_entry_pkey PRIMARY KEY (organization_id, plan_id, ordinal),
  constraint plan_entry_effect_check CHECK ((effect = ANY (ARRAY['open'::text, 'end'::text]))),
  constraint plan_entry_organization_id_plan_id_fkey FOREIGN KEY (organization_id, plan_id) REFERENCES plan(organization_id, id)
);

create table project (
  organization_id uuid not null,
  id uuid not null,
  workspace_id uuid,
  identifier text,
  name text not null,
  metadata jsonb default '{}'::jsonb not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  archived_at timestamp with time zone,
  description text,
  visibility text default 'public'::text not null,
  alias bigint generated always as identity not null,
  constraint project_pkey PRIMARY KEY (organization_id, id),
  constraint project_alias_key UNIQUE (alias),
  constraint project_of_workspace_identifier CHECK (((workspace_id IS NULL) OR (identifier IS NOT NULL))),
  constraint project_visibility_check CHECK ((visibility = ANY (ARRAY['public'::text, 'private'::text]))),
  constraint project_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table role (
  organization_id uuid not null,
  id uuid not null,
  key text,
  name text not null,
  resource text default 'organization'::text not null,
  workspace_id uuid,
  project_id uuid,
  name_key text not null,
  description text,
  permissions text[] default '{}'::text[] not null,
  metadata jsonb default '{}'::jsonb not null,
  version integer default 1 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  deleted_change uuid,
  can_hold_grants boolean generated always as ((deleted_change IS NULL)) stored not null,
  constraint role_pkey PRIMARY KEY (organization_id, id),
  constraint role_organization_id_id_can_hold_grants_key UNIQUE (organization_id, id, can_hold_grants),
  constraint role_check CHECK ((num_nonnulls(workspace_id, project_id) <= 1)),
  constraint role_check1 CHECK (((workspace_id IS NULL) OR (resource <> 'organization'::text))),
  constraint role_check2 CHECK (((project_id IS NULL) OR (resource = 'project'::text))),
  constraint role_resource_check CHECK ((resource = ANY (ARRAY['organization'::text, 'workspace'::text, 'project'::text, 'page'::text]))),
  constraint role_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id),
  constraint role_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES project(organization_id, id),
  constraint role_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table role_grant (
  organization_id uuid not null,
  id uuid not null,
  member_id uuid,
  role_id uuid not null,
  source_id uuid not null,
  opened_change uuid not null,
  expires_at timestamp with time zone,
  ended_change uuid,
  group_id uuid,
  workspace_id uuid,
  project_id uuid,
  holds boolean generated always as (
CASE
    WHEN (ended_change IS NULL) THEN true
    ELSE NULL::boolean
END) stored,
  page_id uuid,
  target_id uuid generated always as (COALESCE(workspace_id, project_id, page_id)) stored,
  constraint role_grant_pkey PRIMARY KEY (organization_id, id),
  constraint role_grant_subject CHECK ((num_nonnulls(member_id, group_id) = 1)),
  constraint role_grant_target CHECK ((num_nonnulls(workspace_id, project_id, page_id) <= 1)),
  constraint role_grant_group FOREIGN KEY (organization_id, group_id, holds) REFERENCES org_group(organization_id, id, can_hold_grants),
  constraint role_grant_member FOREIGN KEY (organization_id, member_id, holds) REFERENCES member(organization_id, id, can_hold_grants),
  constraint role_grant_organization_id_member_id_fkey FOREIGN KEY (organization_id, member_id) REFERENCES member(organization_id, id),
  constraint role_grant_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES role(organization_id, id),
  constraint role_grant_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES grant_source(organization_id, id),
  constraint role_grant_page FOREIGN KEY (organization_id, page_id, holds) REFERENCES page(organization_id, id, can_hold_grants),
  constraint role_grant_project FOREIGN KEY (organization_id, project_id) REFERENCES project(organization_id, id),
  constraint role_grant_role FOREIGN KEY (organization_id, role_id, holds) REFERENCES role(organization_id, id, can_hold_grants),
  constraint role_grant_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table role_past (
  organization_id uuid not null,
  role_id uuid not null,
  version integer not null,
  name text not null,
  permissions text[] not null,
  ended_change uuid not null,
  constraint role_past_pkey PRIMARY KEY (organization_id, role_id, version),
  constraint role_past_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES role(organization_id, id)
);

create table root_key (
  digest bytea not null,
  created_at timestamp with time zone not null,
  constraint root_key_pkey PRIMARY KEY (digest)
);

create table schema_migration (
  version integer not null,
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migration_pkey PRIMARY KEY (version)
);

create table scim_credential (
  digest bytea not null,
  organization_id uuid not null,
  scim_token_id uuid not null,
  constraint scim_credential_pkey PRIMARY KEY (digest),
  constraint scim_credential_organization_id_scim_token_id_fkey FOREIGN KEY (organization_id, scim_token_id) REFERENCES scim_token(organization_id, id)
);

create table scim_group (
  organization_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  seq bigint not null,
  display_name text not null,
  display_name_key text not null,
  external_id text,
  member_count integer default 0 not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint scim_group_pkey PRIMARY KEY (organization_id, id),
  constraint scim_group_organization_id_connection_id_fkey FOREIGN KEY (organization_id, connection_id) REFERENCES identity_provider(organization_id, id),
  constraint scim_group_organization_id_id_fkey FOREIGN KEY (organization_id, id) REFERENCES org_group(organization_id, id)
);

create table scim_group_member (
  organization_id uuid not null,
  group_id uuid not null,
  user_id uuid not null,
  constraint scim_group_member_pkey PRIMARY KEY (organization_id, group_id, user_id)
);

create table scim_group_sync_due (
  organization_id uuid not null,
  due_at timestamp with time zone default now() not null,
  id uuid default uuid_v7() not null,
  member_id uuid not null,
  constraint scim_group_sync_due_pkey PRIMARY KEY (organization_id, due_at, id)
);

create table scim_request (
  organization_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  token_id uuid,
  token_hint text,
  method text not null,
  route text not null,
  path text not null,
  status smallint not null,
  duration_ms integer not null,
  scim_type text,
  reason text,
  user_id uuid,
  group_id uuid,
  headers jsonb not null,
  request_body jsonb,
  response_body jsonb,
  times integer default 1 not null,
  created_at timestamp with time zone not null,
  constraint scim_request_pkey PRIMARY KEY (organization_id, id)
);

create table scim_roster (
  organization_id uuid not null,
  connection_id uuid not null,
  source_id uuid not null,
  last_user_seq bigint default 0 not null,
  user_count bigint default 0 not null,
  user_moves bigint default 0 not null,
  last_group_seq bigint default 0 not null,
  group_count bigint default 0 not null,
  group_moves bigint default 0 not null,
  constraint scim_roster_pkey PRIMARY KEY (organization_id, connection_id),
  constraint scim_roster_organization_id_connection_id_fkey FOREIGN KEY (organization_id, connection_id) REFERENCES identity_provider(organization_id, id),
  constraint scim_roster_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES grant_source(organization_id, id)
);

create table scim_token (
  organization_id uuid not null,
  id uuid not null,
  identity_provider_id uuid not null,
  hint text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint scim_token_pkey PRIMARY KEY (organization_id, id),
  constraint scim_token_organization_id_identity_provider_id_fkey FOREIGN KEY (organization_id, identity_provider_id) REFERENCES identity_provider(organization_id, id)
);

create table scim_user (
  organization_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  member_id uuid not null,
  seq bigint not null,
  user_name text not null,
  user_name_key text not null,
  external_id text,
  active boolean not null,
  suspended_member boolean default false not null,
  document text not null,
  search jsonb not null,
  email_keys text[] not null,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint scim_user_pkey PRIMARY KEY (organization_id, id),
  constraint scim_user_member UNIQUE (organization_id, member_id),
  constraint scim_user_organization_id_connection_id_fkey FOREIGN KEY (organization_id, connection_id) REFERENCES scim_roster(organization_id, connection_id),
  constraint scim_user_organization_id_member_id_fkey FOREIGN KEY (organization_id, member_id) REFERENCES member(organization_id, id)
);

create table server_secret (
  name text not null,
  value bytea not null,
  constraint server_secret_pkey PRIMARY KEY (name)
);

create table task (
  id uuid not null,
  kind text not null,
  key text not null,
  organization_id uuid,
  run_at timestamp with time zone not null,
  wakes bigint default 1 not null,
  attempts integer default 0 not null,
  lease_until timestamp with time zone,
  lease_token uuid,
  last_error text,
  constraint task_pkey PRIMARY KEY (id),
  constraint task_kind_key_key UNIQUE (kind, key)
);

create table teamspace (
  organization_id uuid not null,
  id uuid not null,
  workspace_id uuid not null,
  lead_id uuid,
  description jsonb default '{}'::jsonb not null,
  logo jsonb default '{}'::jsonb not null,
  constraint teamspace_pkey PRIMARY KEY (organization_id, id),
  constraint teamspace_organization_id_id_fkey FOREIGN KEY (organization_id, id) REFERENCES org_group(organization_id, id),
  constraint teamspace_organization_id_lead_id_fkey FOREIGN KEY (organization_id, lead_id) REFERENCES member(organization_id, id),
  constraint teamspace_organization_id_workspace_id_fkey FOREIGN KEY (organization_id, workspace_id) REFERENCES workspace(organization_id, id)
);

create table verified_domain (
  name text not null,
  organization_id uuid not null,
  domain_id uuid not null,
  constraint verified_domain_pkey PRIMARY KEY (name),
  constraint verified_domain_organization_id_domain_id_key UNIQUE (organization_id, domain_id),
  constraint verified_domain_organization_id_domain_id_fkey FOREIGN KEY (organization_id, domain_id) REFERENCES domain(organization_id, id)
);

create table workspace (
  organization_id uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  metadata jsonb default '{}'::jsonb not null,
  purchased_seats integer,
  version integer default 1 not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint workspace_pkey PRIMARY KEY (organization_id, id),
  constraint workspace_purchased_seats_check CHECK ((purchased_seats >= 0)),
  constraint workspace_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id)
);

CREATE INDEX api_key_member ON public.api_key USING btree (organization_id, member_id) WHERE (member_id IS NOT NULL);

CREATE INDEX change_at ON public.change USING btree (organization_id, at);

CREATE INDEX change_group ON public.change USING btree (organization_id, group_id, seq) WHERE (group_id IS NOT NULL);

CREATE INDEX change_member ON public.change USING btree (organization_id, member_id, seq) WHERE (member_id IS NOT NULL);

CREATE INDEX change_source ON public.change USING btree (organization_id, source_id, at) WHERE (ended_count > 0);

CREATE UNIQUE INDEX change_undone_once ON public.change USING btree (organization_id, undoes) WHERE (undoes IS NOT NULL);

CREATE INDEX credential_api_key ON public.credential USING btree (organization_id, api_key_id);

CREATE INDEX credential_expiry ON public.credential USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX domain_check_due ON public.domain USING btree (next_check_at) WHERE (verified_at IS NOT NULL);

CREATE INDEX domain_of_provider ON public.domain USING btree (organization_id, identity_provider_id) WHERE (identity_provider_id IS NOT NULL);

CREATE INDEX group_membership_expiry ON public.group_membership USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX group_membership_member ON public.group_membership USING btree (organization_id, member_id, group_id) INCLUDE (expires_at);

CREATE INDEX group_membership_opened ON public.group_membership USING btree (organization_id, opened_change);

CREATE INDEX group_membership_past_ended ON public.group_membership_past USING btree (organization_id, ended_change);

CREATE INDEX group_membership_past_member ON public.group_membership_past USING btree (organization_id, member_id);

CREATE INDEX group_membership_past_opened ON public.group_membership_past USING btree (organization_id, opened_change);

CREATE INDEX idempotency_key_age ON public.idempotency_key USING btree (created_at);

CREATE UNIQUE INDEX identity_provider_by_id ON public.identity_provider USING btree (id);

CREATE INDEX invitation_email ON public.invitation USING btree (organization_id, email_key, id);

CREATE UNIQUE INDEX invitation_pending ON public.invitation USING btree (organization_id, email_key, workspace_id) NULLS NOT DISTINCT WHERE (status = 'pending'::text);

CREATE INDEX mail_about ON public.mail USING btree (organization_id, about_id) WHERE (status = 'pending'::text);

CREATE INDEX mail_due ON public.mail USING btree (organization_id, next_attempt_at) WHERE (status = 'pending'::text);

CREATE INDEX mail_expiry ON public.mail USING btree (expires_at) WHERE (status = 'pending'::text);

CREATE UNIQUE INDEX member_email ON public.member USING btree (organization_id, email_key) WHERE can_hold_grants;

CREATE UNIQUE INDEX member_external_reference ON public.member USING btree (organization_id, external_reference_id) WHERE (external_reference_id IS NOT NULL);

CREATE INDEX member_merged_into ON public.member USING btree (organization_id, merged_into) WHERE (merged_into IS NOT NULL);

CREATE INDEX member_removed_email ON public.member USING btree (organization_id, email_key) WHERE (NOT can_hold_grants);

CREATE INDEX member_sync_pending ON public.member_sync USING btree (organization_id, group_id, "position") WHERE (status = 'pending'::text);

CREATE UNIQUE INDEX org_group_external_reference ON public.org_group USING btree (organization_id, external_reference_id) WHERE (deleted_change IS NULL);

CREATE UNIQUE INDEX org_group_order ON public.org_group USING btree (organization_id, created_seq) WHERE ((deleted_change IS NULL) AND (kind = 'group'::text));

CREATE INDEX organization_purge ON public.organization USING btree (purge_at) WHERE (purge_at IS NOT NULL);

CREATE INDEX page_external_reference ON public.page USING btree (organization_id, workspace_id, external_reference_id) WHERE ((deleted_change IS NULL) AND (external_reference_id IS NOT NULL));

CREATE INDEX page_of_workspace ON public.page USING btree (organization_id, workspace_id, id);

CREATE INDEX plan_expiry ON public.plan USING btree (expires_at) WHERE (status = 'held'::text);

CREATE UNIQUE INDEX plan_held ON public.plan USING btree (organization_id, group_id, source_id) WHERE (status = 'held'::text);

CREATE UNIQUE INDEX project_identifier ON public.project USING btree (organization_id, workspace_id, identifier) NULLS NOT DISTINCT WHERE (identifier IS NOT NULL);

CREATE INDEX project_of_workspace ON public.project USING btree (organization_id, workspace_id, id) WHERE (workspace_id IS NOT NULL);

CREATE UNIQUE INDEX role_key ON public.role USING btree (organization_id, resource, key) WHERE (key IS NOT NULL);

CREATE UNIQUE INDEX role_name ON public.role USING btree (organization_id, resource, workspace_id, project_id, name_key) NULLS NOT DISTINCT WHERE (deleted_change IS NULL);

CREATE INDEX role_of_project ON public.role USING btree (organization_id, project_id) WHERE (project_id IS NOT NULL);

CREATE INDEX role_of_workspace ON public.role USING btree (organization_id, workspace_id) WHERE (workspace_id IS NOT NULL);

CREATE INDEX role_grant_ended ON public.role_grant USING btree (organization_id, ended_change) WHERE (ended_change IS NOT NULL);

CREATE INDEX role_grant_expiry ON public.role_grant USING btree (expires_at) WHERE ((ended_change IS NULL) AND (expires_at IS NOT NULL));

CREATE INDEX role_grant_group_with_role ON public.role_grant USING btree (organization_id, role_id) WHERE ((ended_change IS NULL) AND (group_id IS NOT NULL));

CREATE INDEX role_grant_held_by_group ON public.role_grant USING btree (organization_id, group_id) WHERE (holds IS NOT NULL);

CREATE INDEX role_grant_held_by_member ON public.role_grant USING btree (organization_id, member_id) WHERE (holds IS NOT NULL);

CREATE INDEX role_grant_held_role ON public.role_grant USING btree (organization_id, role_id) WHERE (holds IS NOT NULL);

CREATE UNIQUE INDEX role_grant_live ON public.role_grant USING btree (organization_id, member_id, group_id, role_id, target_id, source_id) NULLS NOT DISTINCT WHERE (ended_change IS NULL);

CREATE INDEX role_grant_of_group ON public.role_grant USING btree (organization_id, group_id) WHERE ((ended_change IS NULL) AND (group_id IS NOT NULL));

CREATE INDEX role_grant_on_page ON public.role_grant USING btree (organization_id, page_id) WHERE ((ended_change IS NULL) AND (page_id IS NOT NULL));

CREATE INDEX role_grant_on_project ON public.role_grant USING btree (organization_id, project_id, member_id, group_id) WHERE ((ended_change IS NULL) AND (project_id IS NOT NULL));

CREATE INDEX role_grant_on_workspace ON public.role_grant USING btree (organization_id, workspace_id) WHERE ((ended_change IS NULL) AND (workspace_id IS NOT NULL));

CREATE INDEX role_grant_opened ON public.role_grant USING btree (organization_id, opened_change);

CREATE INDEX role_grant_past_group ON public.role_grant USING btree (organization_id, group_id) WHERE ((ended_change IS NOT NULL) AND (group_id IS NOT NULL));

CREATE INDEX role_grant_past_member ON public.role_grant USING btree (organization_id, member_id) WHERE ((ended_change IS NOT NULL) AND (member_id IS NOT NULL));

CREATE INDEX role_grant_role ON public.role_grant USING btree (organization_id, role_id) WHERE (ended_change IS NULL);

CREATE INDEX scim_credential_token ON public.scim_credential USING btree (organization_id, scim_token_id);

CREATE INDEX scim_group_external_id ON public.scim_group USING btree (organization_id, connection_id, external_id) WHERE (external_id IS NOT NULL);

CREATE UNIQUE INDEX scim_group_name ON public.scim_group USING btree (organization_id, connection_id, display_name_key);

CREATE UNIQUE INDEX scim_group_order ON public.scim_group USING btree (organization_id, connection_id, seq);

CREATE INDEX scim_group_member_user ON public.scim_group_member USING btree (organization_id, user_id, group_id);

CREATE INDEX scim_request_age ON public.scim_request USING btree (created_at);

CREATE INDEX scim_request_of_connection ON public.scim_request USING btree (organization_id, connection_id, id) INCLUDE (status, times);

CREATE INDEX scim_request_of_group ON public.scim_request USING btree (organization_id, group_id, id) WHERE (group_id IS NOT NULL);

CREATE INDEX scim_request_of_user ON public.scim_request USING btree (organization_id, user_id, id) WHERE (user_id IS NOT NULL);

CREATE INDEX scim_request_outcome ON public.scim_request USING btree (organization_id, connection_id, ((status >= 400)), id);

CREATE INDEX scim_token_of_provider ON public.scim_token USING btree (organization_id, identity_provider_id);

CREATE INDEX scim_user_emails ON public.scim_user USING gin (email_keys);

CREATE INDEX scim_user_external_id ON public.scim_user USING btree (organization_id, connection_id, external_id) WHERE (external_id IS NOT NULL);

CREATE UNIQUE INDEX scim_user_name ON public.scim_user USING btree (organization_id, connection_id, user_name_key);

CREATE UNIQUE INDEX scim_user_order ON public.scim_user USING btree (organization_id, connection_id, seq);

CREATE INDEX task_due ON public.task USING btree (run_at, id);

CREATE INDEX teamspace_of_workspace ON public.teamspace USING btree (organization_id, workspace_id, id);

CREATE UNIQUE INDEX workspace_slug ON public.workspace USING btree (slug);
