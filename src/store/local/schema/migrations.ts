import { OPERATOR } from '../../../types/webhook.ts';

/** Tables with an owner, and by what their lists are in order. */
const OWNED: Readonly<Record<string, string | null>> = {
  deliveries: 'id',
  tasks: 'id',
  flows: 'created_at, id',
  conversations: 'id',
  outbox: 'id',
  runs: 'started_at',
  pruned_runs: null,
  audit: 'id',
};

/** The migration: all that was stored before is the operator's, whose rows cost no index. */
const OWNERS = Object.entries(OWNED)
  .map(
    ([name, order]) =>
      `alter table ${name} add column owner text not null default '${OPERATOR}';${
        order === null
          ? ''
          : `\ncreate index ${name}_by_owner on ${name} (owner, ${order}) where owner <> '${OPERATOR}';`
      }`,
  )
  .join('\n');

/** SQL that leads from version 1 to later ones, in order. A released migration is never changed: later ones are appended. */
export const MIGRATIONS: readonly string[] = [
  `create table installation (id text not null) strict;
insert into installation values (lower(hex(randomblob(8))));
create table connections (
  id text primary key,
  connector text not null,
  webhook text not null,
  webhook_id text,
  kind text not null,
  target text not null,
  api_url text not null,
  remote_id text,
  url text not null,
  events text not null,
  fingerprint text,
  is_adopted integer not null,
  is_paused integer not null,
  problem text,
  created_at integer not null,
  pointed_at integer,
  checked_at integer
) strict, without rowid;
create unique index connections_once on connections (connector, api_url, kind, target, webhook);`,
  // Flows that go on in an older one. "undone": a person took the join back.
  `create table flow_links (
     flow_id text not null references flows (id),
     into_flow_id text not null references flows (id),
     reason text not null,
     actor text not null,
     created_at integer not null,
     undone integer not null default 0,
     primary key (flow_id, into_flow_id)
   ) strict, without rowid;
   create unique index flow_links_one on flow_links (flow_id) where undone = 0;
   create index flow_links_by_target on flow_links (into_flow_id);
   create index flows_by_external_id on flows (external_id);`,
  `create table sweeps (
  connection_id text primary key references connections (id) on delete cascade,
  started_at integer not null,
  ended_at integer not null,
  since integer not null,
  through integer not null,
  listed integer not null,
  missing integer not null,
  redelivered integer not null,
  fetched integer not null,
  problem text
) strict, without rowid;`,
  `alter table runs add column cause text;
   alter table runs add column retry_at integer;
   alter table runs add column meter text;
   alter table runs add column webhook text;
   alter table runs add column person text;
   create index runs_to_retry on runs (retry_at, agent) where retry_at is not null;
   create index runs_with_meter on runs (session_id, id) where meter is not null;
   alter table pruned_runs add column agent text not null default '';
   alter table pruned_runs add column webhook text;
   alter table pruned_runs add column person text;
   alter table pruned_runs add column input_tokens integer;
   alter table pruned_runs add column output_tokens integer;`,
  // What `repair` did, so that its bounds hold.
  `create table repairs (
     id text primary key,
     subject text not null,
     sha text not null,
     source text not null,
     kind text not null,
     reason text not null,
     fingerprint text not null,
     task_id text,
     at integer not null
   ) strict, without rowid;
   create index repairs_by_subject on repairs (subject, at);
   create index repairs_by_sha on repairs (sha);
   create index repairs_by_time on repairs (at);`,
  // Conversations in whose session a person works.
  `create table attachments (
  conversation_id text primary key,
  task_id text not null,
  actor text not null,
  at_once integer not null,
  at integer not null
) strict, without rowid;`,
  `create table schedules (
     name text primary key,
     last_due integer,
     paused integer not null default 0
   ) strict, without rowid;`,
  `create table task_checks (
  id text primary key references tasks (id) on delete cascade,
  host text not null,
  owner text not null,
  repo text not null,
  sha text not null,
  remote_id text,
  shown text not null,
  problem text,
  updated_at integer not null
) strict, without rowid;`,
  // Pending deliveries that wait for further events of their flow.
  `create table held_deliveries (
     delivery_id text primary key references deliveries (id) on delete cascade,
     flow_id text not null,
     wait_group text not null,
     window_ends_at integer not null,
     last_ends_at integer not null
   ) strict, without rowid;
   create index held_by_group on held_deliveries (wait_group, delivery_id);
   create index held_by_flow on held_deliveries (flow_id, delivery_id);`,
  // Posts that answer no delivery, and posts with buttons.
  `create table outbox_next (
     id text primary key,
     kind text not null,
     provider text not null,
     delivery_id text references deliveries (id) on delete cascade,
     place text not null,
     content text not null,
     edits text,
     private_network integer not null,
     status text not null,
     reason text,
     attempts integer not null,
     uncertain integer not null,
     next_attempt_at integer not null,
     remote_id text,
     created_at integer not null,
     settled_at integer,
     buttons_of text,
     buttons_at text
   ) strict;
   insert into outbox_next select *, null, null from outbox;
   drop table outbox;
   alter table outbox_next rename to outbox;
   create index outbox_due on outbox (next_attempt_at, id) where status = 'waiting';
   create index outbox_by_status on outbox (status, id);
   create index outbox_by_delivery on outbox (delivery_id, id);
   create index outbox_with_buttons on outbox (buttons_of, created_at) where buttons_of is not null;`,
  // By its branch a pull request is known for that of a run's flow.
  `alter table runs add column branch text;
   create index runs_by_branch on runs (branch, id) where branch is not null;
   create index runs_of_session on runs (session_id, id) where session_id is not null;`,
  `create table answer_times (at integer primary key, counts text not null) strict;`,
  // The variants that decided about a delivery.
  `alter table deliveries add column variant text;`,
  OWNERS,
];
