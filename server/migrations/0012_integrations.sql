-- Connections of an organization to other products.

create table integration (
  organization_id         uuid not null references organization (id),
  id                      uuid not null,
  kind                    text not null,
  -- The other product's own id of the connection.
  integration_id          text,
  -- What may be shown.
  config                  jsonb not null default '{}',
  -- What may not: encrypted, bound to this row.
  secrets                 text,
  -- Which project each environment of the other product stands for.
  production_project_id   uuid,
  preview_project_id      uuid,
  development_project_id  uuid,
  created_by_kind         text not null check (created_by_kind in ('root', 'api_key', 'member', 'system')),
  created_by_id           uuid,
  version                 integer not null default 1,
  created_at              timestamptz not null,
  updated_at              timestamptz not null,
  primary key (organization_id, id),
  constraint integration_connection unique nulls not distinct (organization_id, kind, integration_id),
  foreign key (organization_id, production_project_id) references project (organization_id, id),
  foreign key (organization_id, preview_project_id) references project (organization_id, id),
  foreign key (organization_id, development_project_id) references project (organization_id, id),
  -- All three environments are mapped, or none.
  check (num_nonnulls(production_project_id, preview_project_id, development_project_id) in (0, 3))
);
