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
