import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Line } from '../bench.ts';
import { idle, makeUser, type Serving, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { load } from '../load.ts';
import { adnanh } from '../peers.ts';
import { measureProfile } from '../profile.ts';
import { median } from '../statistics.ts';

/** Tasks that are whole to the last file, per second from the first request on. */
export const wholeJob: Line = {
  name: 'whole-job',

  async measure(bench) {
    const user = makeUser(bench, 'whole-job', TASK_COMMAND);
    const own = await serve(bench, user);
    const found = await adnanh(bench, true);
    const requests = bench.quick ? 1_000 : 3_000;
    const ratios: number[] = [];
    const backlogs: number[] = [];
    for (let round = 0; round <= (bench.quick ? 2 : 5); round++) {
      const { perSecond, backlog } = await tasks(bench, user, own, requests);
      const other = found.ok ? await load(bench, { ...found.peer, requests: requests / 4 }) : null;
      bench.say(`whole job, round ${round}: ${Math.round(perSecond)} tasks/s, ${backlog} behind at the end`);
      if (round === 0) continue;
      backlogs.push(backlog / requests);
      if (other !== null) ratios.push(perSecond / other.perSecond);
    }
    await own.stop();
    if (bench.profile) {
      // Without the tasks of the rounds, whose files would be looked through at the start.
      const fresh = makeUser(bench, 'whole-job-profile', TASK_COMMAND);
      await measureProfile(bench, 'whole-job', fresh, async (server) => {
        await load(bench, { origin: server.origin, requests });
        await idle(server);
      });
    }
    const what = 'whole job: accepted, matched, task committed, both task files written';
    return [
      {
        what,
        against: 'adnanh/webhook starting `/bin/true`',
        unit: '×',
        value: found.ok ? median(ratios) : null,
        rounds: ratios,
        must: { atLeast: 2 },
        note: found.ok ? null : found.why,
      },
      {
        what: 'whole job: what is not done when the last is accepted',
        against: 'all that were sent',
        unit: '×',
        value: median(backlogs),
        rounds: backlogs,
        must: { atMost: 0.1 },
        note: null,
      },
    ];
  },
};

/** Throws when a task or one of its files is missing at the end. */
export async function tasks(bench: Bench, user: User, server: Serving, requests: number) {
  const before = records(user);
  const begin = performance.now();
  // What the generator takes to start and to sign is no work of the server: its own seconds count.
  const { seconds } = await load(bench, { origin: server.origin, requests });
  const end = performance.now();
  const { server: state } = await server.get<{ server: { queue_depth: number } }>('/api/status');
  await idle(server);
  const after = (performance.now() - end) / 1_000;
  const made = records(user) - before;
  if (made !== requests) throw new Error(`${made} task files for ${requests} deliveries`);
  return {
    perSecond: requests / (seconds + after),
    backlog: state.queue_depth,
    ms: performance.now() - begin,
  };
}

function records({ claude }: User): number {
  return readdirSync(join(claude, 'tasks')).filter((name) => name.startsWith('claude-task-')).length;
}
