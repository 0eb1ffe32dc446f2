import type { SchedulerReporter } from '../agents/scheduler/context.ts';
import type { RegistryChange } from '../config/registry.ts';
import type { DispatchResult } from '../deliveries/context.ts';
import type { Receipt } from '../deliveries/receive.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import type { Outgoing, Task } from '../types.ts';
import type { UnroutedRow } from './ingress/unrouted.ts';
import type { Grant } from './permissions.ts';

/** Told of everything that happens while serving. */
export interface ServeReporter extends SchedulerReporter {
  received(receipt: Receipt): void;
  /** So many more requests were refused than are told singly: they failed verification, or were too many. */
  refused(count: number): void;
  /** A request was refused that reached no webhook. */
  unrouted(row: UnroutedRow): void;
  settled(settled: DispatchResult): void;
  /** A reply or forward was sent, or given up. */
  sent(item: Outgoing): void;
  /** A task was made or moved on, by a person, an agent or Claude Code. */
  task(task: Task): void;
  /** A request could not be answered as it should. */
  broken(error: unknown): void;
  /** The tunnel's state, reason or URL changed. */
  tunnel(status: TunnelStatus): void;
  /** The dynamic webhooks changed, or would have. */
  reloaded(change: RegistryChange): void;
  /** A reload lets hookctl run a program, post, or start an agent where it did not before. */
  granted(grants: readonly Grant[]): void;
  /** Something that a person should end has begun; `status` shows it behind `problem:` as long as it lasts. */
  problem(text: string): void;
  /** The server as a whole does something else now, and why. */
  state(state: ServeState, reason: string): void;
}

type ServeState = 'stopping' | 'stopped';

/** How long refusals that are not told singly are gathered, in milliseconds. */
const GATHER_MS = 10_000;

export interface RefusalCount {
  add(): void;
  close(): void;
}

/** Counts what is refused without a record, and tells the sum ten seconds after the first. */
export function gatherRefusals(tell: (count: number) => void): RefusalCount {
  let count = 0;
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (count > 0) tell(count);
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
