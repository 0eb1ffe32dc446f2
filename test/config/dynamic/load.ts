import { setImmediate as pause } from 'node:timers/promises';
import { sign } from '@octokit/webhooks-methods';
import { examples } from '../../support/github.ts';

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
  const example = examples().find(({ event }) => event === 'issues');
  const lane = async (_: unknown, number: number) => {
    for (let count = 0; !stopped; count++) {
      // Each request says something new: a repeated one would be answered as a duplicate.
      const deliveryId = `${number}-${count}`;
      const body = JSON.stringify({ ...example?.payload, test: deliveryId });
      const headers = {
        'content-type': 'application/json',
        'x-github-event': 'issues',
        'x-github-delivery': deliveryId,
        'x-hub-signature-256': await sign(secret, body),
      };
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
