import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as pause } from 'node:timers/promises';
import { sign } from '@octokit/webhooks-methods';
import { onTestFinished } from 'vitest';
import { verify } from '../../../src/pipeline/verify.ts';
import { createIngress } from '../../../src/server/ingress.ts';
import { examples } from '../../support/github.ts';
import type { Watched } from './live-support.ts';

/** An ingress that verifies and answers 202 or 401, without a store behind it. Returns its URL. */
export async function ingressFor(live: Watched): Promise<string> {
  const context = { clock: { now: () => Date.now() }, insecure: new Set<string>(), relayKey: 'none' };
  const server = createIngress({
    snapshot: live.current,
    acceptProbe: () => false,
    async receive(webhook, request) {
      const ok = verify(context, webhook, request).ok;
      return { ack: { status: ok ? 202 : 401, headers: {}, body: '' } } as never;
    },
    onError: (error) => {
      throw error;
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface Load {
  /** Answers by status so far. */
  readonly answers: ReadonlyMap<number, number>;
  /** Ends the load, when what is under way is answered. */
  stop(): Promise<void>;
}

/** Posts signed requests, one after the other in each of several lanes, until it is stopped. */
export function loadOn(url: string, secret: string, lanes: number): Load {
  const answers = new Map<number, number>();
  let stopped = false;
  const body = JSON.stringify(examples()[0]?.payload);
  const lane = async () => {
    const signature = await sign(secret, body);
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-hub-signature-256': signature,
    };
    while (!stopped) {
      const { status } = await fetch(url, { method: 'POST', headers, body });
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await pause();
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  return {
    answers,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
