import type { Accounts } from '../config/accounts.ts';
import type { RegistryChange } from '../config/registry.ts';
import type { DispatchResult } from '../deliveries/context.ts';
import type { Receipt } from '../deliveries/receive.ts';
import type { GithubApp } from '../github-app/record.ts';
import type { Gap } from '../recover/schedule.ts';
import type { SweepReport } from '../recover/sweep.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import type { AgentRun, Connection, Outgoing, Task, Webhook } from '../types.ts';
import type { AnsweredHandshake } from './ingress/handshakes.ts';
import type { SlackSocketStatus } from './ingress/slack-socket.ts';
import type { UnroutedRow } from './ingress/unrouted.ts';
import type { Permission } from './permissions.ts';
import type { RunningFacts } from './status.ts';

/** What a server has when it begins to answer. */
export interface ServeStart {
  readonly facts: () => RunningFacts;
  readonly webhooks: readonly Webhook[];
  readonly problems: readonly string[];
  /** The accounts under which hookctl answers. */
  readonly accounts: Accounts;
  /** hookctl's own GitHub Apps, which answer where they are installed. */
  readonly apps: readonly Pick<GithubApp, 'slug'>[];
  /** Tasks are meant to appear in Claude Code's list. */
  readonly listWanted: boolean;
  /** The line that opens a Claude Code session on the task list; null when there is no list. */
  readonly sessionCommand: string | null;
  /** Deliveries that were accepted before and not worked off. */
  readonly recovered: number;
  /** What may run, post or start now that could not when this folder was last served. */
  readonly granted: readonly Permission[];
}

/** Everything that happens while serving: `serve` emits it, metrics, audit, log file and output listen. */
export type ServeEvent =
  | { readonly type: 'ready'; readonly start: ServeStart }
  /** A request for a webhook was answered. Without a row it is only counted, see `refused`. */
  | { readonly type: 'received'; readonly receipt: Receipt }
  /** So many more requests were refused without a row: they failed verification, or were too many. */
  | { readonly type: 'refused'; readonly count: number }
  /** A request was refused that reached no webhook. */
  | { readonly type: 'unrouted'; readonly row: UnroutedRow }
  /** A sender asked before it sends, and was answered. */
  | { readonly type: 'handshake'; readonly handshake: AnsweredHandshake }
  /** A delivery was worked off. */
  | { readonly type: 'delivery'; readonly result: DispatchResult }
  /** A reply or forward was sent, or given up. */
  | { readonly type: 'outgoing'; readonly item: Outgoing }
  /** A task was made or moved on, by a person, an agent or Claude Code. */
  | { readonly type: 'task'; readonly task: Task }
  /** A run was started, or has ended. */
  | { readonly type: 'run'; readonly run: AgentRun }
  /** What a run does now: now and then, not every line. */
  | { readonly type: 'progress'; readonly run: AgentRun; readonly text: string }
  /** Runs are held, because a budget is used up. */
  | { readonly type: 'held'; readonly reason: string }
  /** Due times of a schedule make no task, and why. */
  | { readonly type: 'schedule'; readonly text: string }
  /** A workspace was removed, or could not be. */
  | { readonly type: 'workspace'; readonly text: string }
  /** A budget is spent to 80 %. */
  | { readonly type: 'budget'; readonly reason: string }
  /** The tunnel's state, reason or URL changed. */
  | { readonly type: 'tunnel'; readonly status: TunnelStatus }
  /** Slack's Socket Mode was opened, is tried again, or is given up. */
  | { readonly type: 'slack'; readonly status: SlackSocketStatus }
  /** A sender's log was read, and something was missing, or nothing could arrive for a while. */
  | { readonly type: 'swept'; readonly report: SweepReport; readonly gap: Gap | null }
  /** A hook at a sender follows the tunnel, was paused or started, or can't be reached. */
  | {
      readonly type: 'connection';
      readonly connection: Connection;
      readonly text: string;
      readonly isBad: boolean;
    }
  /** The dynamic webhooks changed, or would have. */
  | { readonly type: 'reloaded'; readonly change: RegistryChange }
  /** A reload lets hookctl run a program, post, or start an agent where it did not before. */
  | { readonly type: 'granted'; readonly permissions: readonly Permission[] }
  /** A request could not be answered as it should, or the store or the machine fails. */
  | { readonly type: 'broken'; readonly error: unknown }
  /** A state that a person should end started; `status` shows it behind `problem:` as long as it lasts. */
  | { readonly type: 'problem'; readonly text: string }
  /** The server as a whole does something else now, and why. */
  | { readonly type: 'state'; readonly state: 'stopping' | 'stopped'; readonly reason: string };

export type ServeListener = (event: ServeEvent) => void;

/** How long refusals without a row are gathered, in milliseconds. */
const GATHER_MS = 10_000;

/** Counts requests that are refused without a row, and emits the sum ten seconds after the first. */
export function gatherRefusals(emit: ServeListener) {
  let count = 0;
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (count > 0) emit({ type: 'refused', count });
    count = 0;
  };
  return {
    add() {
      count += 1;
      timer ??= setTimeout(flush, GATHER_MS).unref();
    },
    close: flush,
  };
}
