import type { Generated } from 'kysely';
import type {
  DeliveryStatus,
  OutgoingKind,
  OutgoingStatus,
  RunState,
  TaskStatus,
  Transition,
  Trust,
} from '../../../types.ts';

/** The tables of `schema.ts`. Times are epoch milliseconds, booleans 0 or 1. */
export interface Database {
  readonly deliveries: DeliveryRow;
  readonly dedupe_keys: DedupeKeyRow;
  readonly flows: FlowRow;
  readonly flow_aliases: FlowAliasRow;
  readonly conversations: ConversationRow;
  readonly tasks: TaskRow;
  readonly task_transitions: TransitionRow;
  readonly outbox: OutboxRow;
  readonly audit: AuditRow;
  readonly known_agents: KnownAgentRow;
  readonly runs: RunRow;
  readonly pruned_runs: PrunedRunRow;
  readonly budget_notices: BudgetNoticeRow;
  readonly event_consumers: EventConsumerRow;
  readonly event_acks: EventAckRow;
}

export interface DeliveryRow {
  readonly id: string;
  /** Its name when the delivery came. */
  readonly webhook: string;
  /** Of a dynamic webhook: what stays when its name changes. */
  readonly webhook_id: string | null;
  readonly provider: string;
  readonly status: DeliveryStatus;
  readonly trust: Trust | null;
  readonly reason: string | null;
  readonly sender_delivery_id: string | null;
  readonly event_type: string | null;
  readonly external_id: string | null;
  readonly sender_name: string | null;
  readonly headers: string;
  readonly query: string;
  readonly size: number;
  readonly received_at: number;
  readonly settled_at: number | null;
  readonly duplicate_of: string | null;
  readonly replay_of: string | null;
  readonly replies: number;
  readonly attempts: number;
  readonly next_attempt_at: number | null;
  readonly decisions: string;
  /** JSON list of the keys it claims; kept so that a requeue can claim them again. */
  readonly claims: string;
  /** Location of its record in the log of bodies; null when its body is not kept. */
  readonly body_segment: number | null;
  readonly body_offset: number | null;
  /** When retention removed the body. */
  readonly body_removed_at: number | null;
  /** 1 when a person wrote its text; null in rows of rejections. */
  readonly by_person: number | null;
  /** 1: `hookctl trigger` made it. */
  readonly sample: number | null;
}

/** A key of a settled delivery; `log/dedupe.ts` keeps those of pending ones in memory. */
interface DedupeKeyRow {
  readonly webhook: string;
  readonly key: string;
  readonly delivery_id: string;
  /** 1: it has acted; 0: it was ignored or failed, and the key is that of its signed bytes. */
  readonly acted: number;
}

export interface FlowRow {
  readonly id: string;
  readonly external_id: string;
  readonly current_conversation_id: string;
  readonly created_at: number;
}

export interface FlowAliasRow {
  readonly alias: string;
  readonly flow_id: string;
  /** 1: an id that no rename changes; 0: an external id. */
  readonly stable: number;
  readonly created_at: number;
}

interface KnownAgentRow {
  readonly name: string;
  readonly configured_at: number;
  /** Queued tasks that were last changed until then wait for a release; null when none do. */
  readonly held_before: number | null;
}

export interface ConversationRow {
  readonly id: string;
  readonly flow_id: string;
  readonly created_at: number;
}

export interface TaskRow {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly agent: string;
  readonly prompt: string;
  readonly flow_id: string;
  readonly conversation_id: string;
  readonly parent_task_id: string | null;
  readonly initiated_task_id: string;
  readonly delivery_id: string | null;
  readonly webhook: string | null;
  readonly command: string | null;
  readonly external_id: string;
  readonly url: string | null;
  readonly result: string | null;
  readonly error: string | null;
  readonly source_metadata: string;
  /** 1: its files belong into Claude's directory. */
  readonly sync_to_claude: number;
  readonly unsynced: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly completed_at: number | null;
  readonly source: string;
  /** JSON list of task ids. */
  readonly depends_on: string;
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly duration_ms: number | null;
  readonly started_at: number | null;
  readonly trust: Trust;
  /** 1: a delivery that `hookctl trigger` made is where it came from. */
  readonly sample: number;
}

export interface TransitionRow {
  /** Given by SQLite, in the order of recording. */
  readonly id: Generated<number>;
  readonly task_id: string;
  readonly event: Transition['event'];
  readonly from_status: TaskStatus | null;
  readonly to_status: TaskStatus;
  readonly actor: string;
  readonly reason: string | null;
  readonly at: number;
}

export interface OutboxRow {
  readonly id: string;
  readonly kind: OutgoingKind;
  readonly provider: string;
  readonly delivery_id: string;
  readonly place: string;
  readonly content: string;
  readonly edits: string | null;
  readonly private_network: number;
  readonly status: OutgoingStatus;
  readonly reason: string | null;
  readonly attempts: number;
  readonly uncertain: number;
  readonly next_attempt_at: number;
  readonly remote_id: string | null;
  readonly created_at: number;
  readonly settled_at: number | null;
}

export interface AuditRow {
  /** Given by SQLite, in the order of recording. */
  readonly id: Generated<number>;
  readonly at: number;
  readonly actor_kind: string;
  readonly actor: string;
  readonly what: string;
  readonly target: string | null;
  /** JSON object. */
  readonly details: string;
  readonly revision: string | null;
}

interface EventConsumerRow {
  readonly name: string;
  /** The newest transition when it was registered. */
  readonly joined_after: number;
  readonly created_at: number;
}

interface EventAckRow {
  readonly consumer: string;
  readonly transition_id: number;
}

export interface RunRow {
  readonly id: string;
  readonly task_id: string;
  readonly flow_id: string;
  readonly conversation_id: string;
  readonly agent: string;
  readonly runner: string;
  readonly state: RunState;
  readonly reason: string | null;
  readonly pid: number | null;
  /** JSON list. */
  readonly command_line: string;
  readonly folder: string | null;
  readonly session_key: string | null;
  readonly session_id: string | null;
  readonly open_with: string | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly turns: number | null;
  /** JSON list. */
  readonly denials: string;
  readonly log_path: string | null;
  readonly reserved_usd: number | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
}

/** Columns that budgets still count of a run whose task was removed. */
type PrunedRunRow = Pick<RunRow, 'flow_id' | 'state' | 'cost_usd' | 'reserved_usd' | 'started_at'>;

interface BudgetNoticeRow {
  readonly scope: string;
  readonly given_at: number;
}
