/**
 * Names of flows that outlast the external id: the stable ids of their subjects (`stable` 1), and external ids that a subject
 * got by a rename or move (`stable` 0).
 */
export const flowAliases = `
create table flow_aliases (
  alias text primary key,
  flow_id text not null references flows (id),
  stable integer not null,
  created_at integer not null
) strict, without rowid;
create index flow_aliases_by_flow on flow_aliases (flow_id);
`;
