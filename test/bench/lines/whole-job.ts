import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { highestResident, NO_PROC } from '../accounting.ts';
import { type Bench, figure, type Line } from '../bench.ts';
import { oldBinary } from '../builds.ts';
import { type Contestant, compete, HOOKCTL, OLD } from '../contest.ts';
import { depthOf, idle, makeUser, type Serving, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { load } from '../load.ts';
import { adnanh } from '../peers.ts';
import { measureProfile } from '../profile.ts';

const ADNANH = 'adnanh/webhook starting `/bin/true`';

/** Tasks that are whole to the last file, per second from the first request on. */
export const wholeJob: Line = {
  name: 'whole-job',

  async measure(bench) {
    const requests = bench.quick ? 1_000 : 3_000;
    const user = makeUser(bench, 'whole-job', TASK_COMMAND);
    const own = await serve(bench, user);
    const backlogs: number[] = [];
    const memory: number[] = [];
    const contest = await compete(
      bench,
      'whole job',
      [
        {
          name: HOOKCTL,
          found: {
            ok: true,
            peer: {
              pid: own.pid,
              async work() {
                let done = { perSecond: 0, backlog: 0 };
                const highest = await highestResident(own.pid, async () => {
                  done = await tasks(bench, user, own, requests);
                });
                backlogs.push(done.backlog / requests);
                if (highest !== null) memory.push(highest);
                return { requests, perSecond: done.perSecond };
              },
            },
          },
        },
        { name: OLD, found: await oldServer(bench, requests) },
        { name: ADNANH, found: await adnanhServer(bench, requests / 4) },
      ],
      bench.quick ? 2 : 5,
    );
    await own.stop();
    if (bench.profile) {
      // Without the tasks of the rounds, whose files would be looked through at the start.
      const fresh = makeUser(bench, 'whole-job-profile', TASK_COMMAND);
      await measureProfile(bench, 'whole-job', fresh, async (server) => {
        await load(bench, { origin: server.origin, requests });
        await idle(server);
      });
    }
    return {
      figures: [
        contest.speed(ADNANH, 1.6, 'whole job: accepted, matched, task committed, both task files written'),
        contest.cpu(OLD, 0.5, 'whole job: CPU time of the process'),
        figure(
          {
            what: 'whole job: what is not done when the last is accepted',
            against: 'all that were sent',
            must: { atMost: 0.1 },
          },
          backlogs.slice(1),
        ),
        figure(
          {
            what: 'whole job: resident memory',
            against: 'its highest in a round',
            unit: 'MB',
            must: { atMost: 220 },
            note: memory.length === 0 ? NO_PROC : null,
          },
          memory.slice(1),
        ),
      ],
      cpu: contest.cpuRows('whole job'),
    };
  },
};

async function oldServer(bench: Bench, requests: number): Promise<Contestant['found']> {
  const old = oldBinary(bench);
  if (!old.ok) return old;
  const user = makeUser(bench, 'whole-job-old', TASK_COMMAND);
  const server = await serve(bench, user, { binary: old.peer });
  const work = async () => ({ ...(await tasks(bench, user, server, requests)), requests });
  return { ok: true, peer: { pid: server.pid, work } };
}

async function adnanhServer(bench: Bench, requests: number): Promise<Contestant['found']> {
  const found = await adnanh(bench, true);
  if (!found.ok) return found;
  const { pid, ...target } = found.peer;
  const work = async () => ({ ...(await load(bench, { ...target, requests })), requests });
  return { ok: true, peer: { pid, work } };
}

/** Throws when a task or one of its files is missing at the end. */
export async function tasks(bench: Bench, user: User, server: Serving, requests: number) {
  const before = records(user);
  // What the generator takes to start and to sign is no work of the server: its own seconds count.
  const { seconds } = await load(bench, { origin: server.origin, requests });
  const end = performance.now();
  const backlog = await depthOf(server);
  await idle(server);
  const after = (performance.now() - end) / 1_000;
  const made = records(user) - before;
  if (made !== requests) throw new Error(`${made} task files for ${requests} deliveries`);
  return { perSecond: requests / (seconds + after), backlog };
}

function records({ claude }: User): number {
  return readdirSync(join(claude, 'tasks')).filter((name) => name.startsWith('claude-task-')).length;
}
