import type { ConnectContext } from '../../connect/context.ts';
import { HookctlError, messageOf } from '../../errors.ts';
import { fullJitter, pause } from '../../lib/time.ts';
import type { Connection } from '../../types.ts';
import type { ServeListener } from '../events.ts';

interface ServeConnectionsOptions {
  readonly context: ConnectContext;
  readonly emit: ServeListener;
  readonly pauseWhenStopped: boolean;
  readonly broken: (error: unknown) => void;
}

/** Keeps the hooks at senders pointed to this server. */
interface ServeConnections {
  readonly listen: ServeListener;
  /** Pauses the hooks where that is wanted, and ends what is under way. */
  close(): Promise<void>;
}

const BACKOFF = { baseMs: 1_000, capMs: 60_000, random: Math.random };
/** A call that moves a hook: the next try asks for the URL that is right by then. */
const PATIENCE_MS = 10_000;
/** A hook that is being made while the URL changes is noticed by this. */
const LOOK_MS = 30_000;
/** Part of the ten seconds that a supervisor gives the whole process to end. */
const PAUSE_PATIENCE_MS = 3_000;

/**
 * At the start: paused hooks are started, those that point elsewhere follow, and all are looked at once. From then on each
 * hook follows the tunnel, with retries until it does.
 */
export function serveConnections(options: ServeConnectionsOptions): ServeConnections {
  const { emit, pauseWhenStopped, broken } = options;
  const stop = new AbortController();
  const context = { ...options.context, patienceMs: PATIENCE_MS, signal: stop.signal };
  const { store, clock } = context;
  /** Hooks that are being moved. */
  const moving = new Map<string, Promise<void>>();
  /** When the URL of before led here for the last time; null while it does. */
  let lostAt: number | null = lastSign(context);
  let isFirst = true;
  let checking: Promise<void> = Promise.resolve();

  function tell(connection: Connection, text: string, isBad = false): void {
    emit({ type: 'connection', connection, text, isBad });
  }

  /** Moves one hook until it points here, whatever the URL is by then. */
  async function follow(id: string, since: number, atMost: string): Promise<void> {
    const { repoint, setPaused } = await import('../../connect/upkeep.ts');
    const { nameOfConnection } = await import('../../connect/context.ts');
    let told = '';
    for (let attempt = 0; !stop.signal.aborted; attempt += 1) {
      const connection = store.connection(id);
      if (connection === null) return;
      const name = nameOfConnection(connection);
      try {
        const moved = await repoint(context, connection);
        if (connection.isPaused && (await setPaused(context, moved ?? connection, false))) {
          tell({ ...connection, isPaused: false }, `${name}: the hook sends again`);
        }
        if (moved === null) {
          if (told !== '') await store.changeConnection(id, { problem: null });
          return;
        }
        const took = Math.max(0, Math.ceil((clock.now() - since) / 1000));
        tell(
          moved,
          `${name}: the hook follows to ${moved.url}; it sent elsewhere for ${atMost}${inWords(took)}`,
        );
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof HookctlError)) broken(error);
        const text = `the hook of ${name} still sends to ${connection.url}: ${messageOf(error)}`;
        if (told !== text) {
          tell(connection, `${text}; it is tried again`, true);
          await store.changeConnection(id, { problem: text });
        }
        told = text;
        await pause(BACKOFF.baseMs / 2 + fullJitter(attempt, BACKOFF), stop.signal);
      }
    }
  }

  function wake(): void {
    if (stop.signal.aborted) return;
    const since = lostAt ?? clock.now();
    const atMost = isFirst ? 'at most ' : '';
    for (const { id, webhook, remoteId } of store.connections()) {
      const endpoint = context.snapshot().byName.get(webhook)?.endpoint;
      // While nothing leads here there is nowhere to point to.
      if (remoteId === null || endpoint === undefined || context.publicUrlOf(endpoint) === null) continue;
      if (moving.has(id)) continue;
      const move = follow(id, since, atMost)
        .catch(broken)
        .finally(() => moving.delete(id));
      moving.set(id, move);
    }
  }

  /** Once, when it is known where the hooks shall point to: differences are on record, and `status` shows them. */
  async function check(): Promise<void> {
    await Promise.all(moving.values());
    if (stop.signal.aborted) return;
    const { checkAll } = await import('../../connect/upkeep.ts');
    await checkAll(context, { fix: false });
  }

  const looking = setInterval(wake, LOOK_MS).unref();
  return {
    listen(event) {
      if (event.type === 'ready' && event.start.facts().tunnel === null) started();
      if (event.type !== 'tunnel') return;
      const { phase, tunnel } = event.status;
      if (phase !== 'up') lostAt ??= clock.now();
      if (tunnel === null) return;
      if (isFirst) started();
      else wake();
      if (phase === 'up') lostAt = null;
    },
    async close() {
      if (pauseWhenStopped) await pauseAll(options).catch(broken);
      clearInterval(looking);
      stop.abort();
      await Promise.all([...moving.values(), checking]);
    },
  };

  function started(): void {
    if (store.connections().length > 0) {
      wake();
      checking = check().catch(broken);
    }
    isFirst = false;
  }
}

/** Stops the sending of all hooks whose sender has a switch. */
async function pauseAll({ context: options, emit, broken }: ServeConnectionsOptions): Promise<void> {
  const context = {
    ...options,
    patienceMs: PAUSE_PATIENCE_MS,
    signal: AbortSignal.timeout(PAUSE_PATIENCE_MS),
  };
  const all = context.store.connections().filter(({ isPaused, remoteId }) => !isPaused && remoteId !== null);
  if (all.length === 0) return;
  const { setPaused } = await import('../../connect/upkeep.ts');
  const { nameOfConnection } = await import('../../connect/context.ts');
  await Promise.all(
    all.map(async (connection) => {
      const name = nameOfConnection(connection);
      try {
        if (!(await setPaused(context, connection, true))) return;
        const text = `${name}: the hook is paused; what happens until the next start is not in the sender's log and can't be recovered`;
        emit({ type: 'connection', connection: { ...connection, isPaused: true }, text, isBad: false });
      } catch (error) {
        if (!(error instanceof HookctlError)) broken(error);
        const text = `${name}: the hook could not be paused and goes on sending: ${messageOf(error)}`;
        emit({ type: 'connection', connection, text, isBad: true });
      }
    }),
  );
}

/** When an earlier server gave its last sign: what it received or did. The hooks led to it at least until then. */
function lastSign({ store, clock }: Pick<ConnectContext, 'store' | 'clock'>): number {
  const [delivery] = store.deliveries({ limit: 1 });
  const [change] = store.audit({ limit: 1 });
  return Math.max(delivery?.receivedAt ?? 0, change?.at ?? 0) || clock.now();
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
