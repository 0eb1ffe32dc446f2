import type { Scheduler } from '../../agents/scheduler/scheduler.ts';
import { DB_FILE } from '../../config/dynamic/files.ts';
import type { Engine } from '../../deliveries/engine.ts';
import { messageOf } from '../../errors.ts';
import { pause } from '../../lib/time.ts';
import { coalesce } from '../../lib/time-slicer.ts';
import type { Services } from '../../services.ts';
import type { SharedDocument } from '../../store/postgres/document.ts';
import { isStoreAway, type SharedStore } from '../../store/shared.ts';
import type { ServeListener } from '../events.ts';

interface ServeMachinesOptions {
  readonly services: Pick<Services, 'sharedWebhooks'>;
  readonly engine: Engine;
  readonly scheduler: Pick<Scheduler, 'wake' | 'recover'>;
  readonly emit: ServeListener;
}

interface ServedMachines {
  /** To be called with what happens while serving. */
  readonly listen: ServeListener;
  close(): Promise<void>;
}

const ALONE: ServedMachines = { listen: () => undefined, close: async () => undefined };

/** Between two looks for what other machines have left to do, in ms; a hint shortens it. */
const LOOK_MS = { least: 250, most: 500 };
/** Between two signs of life, in ms. */
const BEAT_MS = 2_000;

/** Works with other machines on one store: signs of life, taking over, looking for what may be done now. Nothing for a store of its own. */
export function serveMachines(options: ServeMachinesOptions): ServedMachines {
  const { shared } = options.engine.context.store;
  const { sharedWebhooks } = options.services;
  return shared == null || sharedWebhooks === null ? ALONE : serveTogether(options, shared, sharedWebhooks);
}

function serveTogether(
  { engine, scheduler, emit }: ServeMachinesOptions,
  shared: SharedStore,
  webhooks: SharedDocument,
): ServedMachines {
  const said = (text: string) => emit({ type: 'problem', text });
  const broken = (error: unknown) => emit({ type: 'broken', error });
  const { queue, outbox, context } = engine;
  const stop = new AbortController();
  let isAway = false;
  let isBeating = false;
  let beatAt = Number.NEGATIVE_INFINITY;

  /** A read in the background finds the database gone: what it was for is done when the database is back. */
  function away(error: unknown): void {
    if (!isStoreAway(error)) throw error;
    if (isAway) return;
    isAway = true;
    said(`${messageOf(error)}. Senders get 503 until it is back.`);
    void context.store.probe().then(back, broken);
  }

  function awayOrBroken(error: unknown): void {
    if (isStoreAway(error)) away(error);
    else broken(error);
  }

  function back(): void {
    isAway = false;
    if (stop.signal.aborted) return;
    said('the database is back');
    look();
    scheduler.wake();
  }

  function look(): void {
    if (isAway) return;
    try {
      queue.wake();
      outbox.wake();
      if (shared.documentVersion(DB_FILE) > webhooks.version()) void webhooks.pull().catch(awayOrBroken);
    } catch (error) {
      away(error);
    }
  }

  /** Not waited for: it takes as long as the database is away. */
  async function beat(): Promise<void> {
    if (isBeating || isAway) return;
    isBeating = true;
    beatAt = performance.now();
    try {
      const { taken, hasLeftRuns } = await shared.beat();
      if (taken.length > 0) said(`took over ${taken.length} deliveries of a machine that is gone`);
      for (const item of taken) queue.takeOver(item);
      if (hasLeftRuns) scheduler.recover();
    } catch (error) {
      broken(error);
    } finally {
      isBeating = false;
    }
  }

  async function rounds(): Promise<void> {
    while (!stop.signal.aborted) {
      if (performance.now() - beatAt > BEAT_MS) void beat();
      look();
      await pause(LOOK_MS.least + Math.random() * (LOOK_MS.most - LOOK_MS.least), stop.signal);
    }
  }

  process.on('uncaughtException', away);
  const hinted = coalesce(() => {
    look();
    scheduler.wake();
  });
  const ends = [
    shared.onHint(hinted),
    shared.onLost(() => {
      said('the database heard nothing of this server for too long: others took its work over');
      scheduler.wake();
    }),
    () => void process.off('uncaughtException', away),
  ];
  const running = rounds();
  void webhooks.offer().catch(awayOrBroken);
  return {
    listen(event) {
      // A change that was made in the file by hand.
      if (event.type === 'reloaded' && event.change.kind === 'applied')
        void webhooks.offer().catch(awayOrBroken);
    },
    async close() {
      stop.abort();
      await running;
      for (const end of ends) end();
    },
  };
}
