import { cpSync, rmSync } from 'node:fs';
import type { StandingPost } from '../../../support/provider-apis.ts';
import type { Trial } from '../fault.ts';
import { newRoot } from './bed.ts';
import type { Ledger } from './ledger.ts';
import { onStage, type Stage } from './stage.ts';

/** A user's folders with deliveries that were worked off, closed in order; each try has a copy of its own. */
export interface Prepared {
  /** Sets the stage with a copy. */
  onCopy(act: (stage: Stage) => Promise<void>): Promise<void>;
  remove(): void;
}

export async function prepare(
  trial: Pick<Trial, 'hookctl' | 'scale'>,
  deliveries: number,
): Promise<Prepared> {
  const whole = newRoot();
  const known: { ledger?: Ledger; posts: readonly StandingPost[] } = { posts: [] };
  await onStage(trial, async ({ bed, ledger, github, serve, audit }) => {
    const served = await serve();
    for (let sent = 0; sent < deliveries; sent += 1) await ledger.send(served.url);
    await audit(served);
    await served.stop();
    cpSync(bed.root, whole, { recursive: true });
    Object.assign(known, { ledger, posts: [...github.posts] });
  });
  return {
    async onCopy(act) {
      const root = newRoot();
      cpSync(whole, root, { recursive: true });
      const { ledger, posts } = known;
      await onStage(trial, act, { root, posts, ...(ledger !== undefined && { ledger: ledger.copy() }) });
    },
    remove: () => rmSync(whole, { recursive: true, force: true }),
  };
}
