/**
 * Agents that were configured when a server last started. `held_before`: queued tasks that were last changed until then
 * wait until a person releases them. An agent that has run is no new one.
 */
export const knownAgents = `
create table known_agents (
  name text primary key not null,
  configured_at integer not null,
  held_before integer
) strict, without rowid;
insert into known_agents select agent, min(created_at), null from runs group by agent;
`;
