import { setTimeout as delay } from 'node:timers/promises';
import { isAccepted, type Ledger, requireRefusal, told } from './ledger.ts';
import { isAlive, type Served } from './served.ts';

/** Within this time hookctl takes deliveries again when a fault is over. */
const RECOVERY_MS = 5_000;
const PAUSE_MS = 50;

/** Throws unless the process lives and says so. */
export async function requireAlive(served: Served): Promise<void> {
  if (!isAlive(served)) throw new Error(`hookctl has ended: ${served.stderr()}`);
  const { status } = await fetch(`${served.url}/healthz`);
  if (status !== 200) throw new Error(`/healthz was answered ${status}`);
}

/** Throws unless a delivery is accepted soon. */
export async function requireRecovery(served: Served, ledger: Ledger): Promise<void> {
  const from = performance.now();
  for (;;) {
    const answer = await ledger.send(served.url);
    if (isAccepted(answer)) return;
    if (!isAlive(served)) throw new Error(`hookctl has ended: ${served.stderr()}`);
    if (performance.now() - from > RECOVERY_MS) {
      throw new Error(`${RECOVERY_MS / 1_000} s after the fault was over: ${told(answer)}`);
    }
    await delay(PAUSE_MS);
  }
}

/** A person sees what did not arrive, and has GitHub deliver it again. Throws unless each is accepted. */
export async function redeliver({ url }: Served, ledger: Ledger): Promise<void> {
  for (const hook of ledger.unanswered()) {
    const answer = await ledger.send(url, hook);
    if (!isAccepted(answer)) throw new Error(`a redelivery was ${told(answer)}`);
  }
}

/** Sends until so many were refused as they should be; what is answered in another way throws. */
export async function sendUntilRefused(
  served: Served,
  ledger: Ledger,
  { refusals, most }: { readonly refusals: number; readonly most: number },
): Promise<void> {
  let refused = 0;
  for (let sent = 0; sent < most && refused < refusals; sent += 1) {
    const answer = await ledger.send(served.url);
    if (answer === null) throw new Error('a request got no answer');
    if (isAccepted(answer)) continue;
    requireRefusal(answer);
    refused += 1;
  }
  if (refused < refusals) throw new Error(`the fault was not felt: ${most} requests, ${refused} refused`);
}

export interface Pings {
  /** Ends the pings, and returns the longest that one took, in ms. */
  stop(): Promise<number>;
}

/** Asks `/healthz` again and again: how long the event loop keeps somebody waiting. */
export function startPings({ url }: Served, everyMs = 20): Pings {
  let ended = false;
  let longest = 0;
  const run = (async () => {
    while (!ended) {
      const from = performance.now();
      const { status } = await fetch(`${url}/healthz`);
      longest = Math.max(longest, performance.now() - from);
      if (status !== 200) throw new Error(`/healthz was answered ${status}`);
      await delay(everyMs);
    }
  })();
  run.catch(() => undefined);
  return {
    async stop() {
      ended = true;
      await run;
      return longest;
    },
  };
}
