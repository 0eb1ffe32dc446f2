import { type ProviderApis, type StandingPost, startProviderApis } from '../../../support/provider-apis.ts';
import type { Trial } from '../fault.ts';
import { audit, type Scene } from './audit.ts';
import { type Bed, makeBed } from './bed.ts';
import { type Ledger, newLedger } from './ledger.ts';
import { ageLitter, requireNoLitter } from './litter.ts';
import { asNobody, giveToNobody } from './machine.ts';
import { type Served, type ServeOptions, type Starting, startServe } from './served.ts';

/** A user, the sender's book, and a GitHub on loopback that takes the replies. */
export interface Stage {
  readonly bed: Bed;
  readonly ledger: Ledger;
  readonly github: ProviderApis;
  /** Starts hookctl; who waits for `ready` is told why it ended before. */
  start(options?: ServeOptions): Starting;
  serve(options?: ServeOptions): Promise<Served>;
  /** Holds a running server's book against the sender's. */
  audit(served: Served, options?: AuditOptions): Promise<void>;
  /**
   * The end of most faults: audits the server that has felt it, ends it in order, and starts afresh. The short form
   * leaves out the latter.
   */
  conclude(served: Served): Promise<void>;
  /**
   * Starts hookctl once more, without any fault, as it were an hour later, and holds its book against the sender's.
   * Half written files are gone by then.
   */
  auditAfresh(options?: AfreshOptions): Promise<void>;
}

type AuditOptions = Pick<Scene, 'everyBody' | 'patienceMs'>;

interface AfreshOptions extends AuditOptions {
  /** Done with the server before the books are compared. */
  readonly first?: (served: Served) => Promise<void>;
}

export interface StageOptions {
  readonly ledger?: Ledger;
  /** A folder that exists, in place of a new one. */
  readonly root?: string;
  /** What stands at GitHub already. */
  readonly posts?: readonly StandingPost[];
  /** Hookctl runs as a user for whom the modes of files count, also where the machine's user is root. */
  readonly unprivileged?: boolean;
}

/** Sets the stage, and clears it whatever happens on it: no server outlives it. */
export async function onStage(
  { hookctl, scale }: Pick<Trial, 'hookctl' | 'scale'>,
  act: (stage: Stage) => Promise<void>,
  { ledger = newLedger(), root, posts = [], unprivileged = false }: StageOptions = {},
): Promise<void> {
  const github = await startProviderApis(posts);
  const bed = makeBed({ hookctl, github: github.url, ...(root !== undefined && { root }) });
  const through = unprivileged ? asNobody() : [];
  if (unprivileged) giveToNobody(bed.root);
  const running: Starting[] = [];
  const stage: Stage = {
    bed,
    ledger,
    github,
    start(options) {
      const starting = startServe(bed, { through, ...options });
      running.push(starting);
      return starting;
    },
    serve: (options) => stage.start(options).ready,
    audit: (served, options) => audit({ served, ledger, github, ...options }),
    async conclude(served) {
      await stage.audit(served);
      const { code, signal } = await served.stop();
      if (code !== 0) throw new Error(`SIGTERM ended it with ${code ?? signal}: ${served.stderr()}`);
      if (scale !== 'short') await stage.auditAfresh();
    },
    async auditAfresh({ first, ...options } = {}) {
      ageLitter(bed);
      const served = await stage.serve();
      await first?.(served);
      await stage.audit(served, options);
      await requireNoLitter(bed);
      await served.stop();
    },
  };
  try {
    await act(stage);
  } finally {
    for (const starting of running) await end(starting);
    await github.close();
    bed.remove();
  }
}

/** Whatever it does, and whoever started it. */
async function end({ child, ready }: Starting): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const served = await ready.catch(() => null);
  if (served === null) child.kill('SIGKILL');
  else await served.stop('SIGKILL');
}
