import { amount, type Fault } from './fault.ts';
import { requireAlive, requireRecovery } from './support/probes.ts';
import { onStage } from './support/stage.ts';

const POSTS = 30;

interface Way {
  readonly name: string;
  /** Readers that go away. */
  readonly gone: readonly ('stdout' | 'stderr')[];
  /** For `serve`. */
  readonly args: readonly string[];
}

const WAYS: readonly Way[] = [
  { name: 'stdout and stderr go away', gone: ['stdout', 'stderr'], args: [] },
  { name: 'stdout goes away', gone: ['stdout'], args: [] },
  { name: 'stderr goes away', gone: ['stderr'], args: [] },
  { name: 'both go away, with a log file', gone: ['stdout', 'stderr'], args: ['--log-file', 'serve.log'] },
  { name: 'the log file is on a full disk', gone: [], args: ['--log-file', '/dev/full'] },
];

export const brokenPipe: Fault = {
  name: 'broken-pipe',
  claim: 'nobody reads its output any more (EPIPE), or the log can’t be written: it serves on',
  async run(trial) {
    const chosen = amount(trial, { full: WAYS, quick: WAYS, short: WAYS.slice(0, 1) });
    for (const { name, gone, args } of chosen) {
      await trial.part(name, () =>
        onStage(trial, async ({ ledger, serve, conclude }) => {
          const served = await serve({ args });
          for (const stream of gone) served.child[stream]?.destroy();
          for (let sent = 0; sent < POSTS; sent += 1) await requireRecovery(served, ledger);
          await requireAlive(served);
          await conclude(served);
        }),
      );
    }
  },
};
