import { highestResident, NO_PROC } from '../accounting.ts';
import { type Bench, figure, type Line } from '../bench.ts';
import { oldBinary } from '../builds.ts';
import { type Contestant, compete, HOOKCTL, OLD } from '../contest.ts';
import { makeUser, type Serving, serve } from '../hookctl.ts';
import { load } from '../load.ts';
import { adnanh, baseline, type Found, octokitPeer, type Peer } from '../peers.ts';
import { measureProfile } from '../profile.ts';

const BARE = 'bare `node:http` that verifies and parses, and stores nothing';
const OCTOKIT = '`@octokit/webhooks`’ middleware';
const PROBOT = 'Probot';
const ADNANH = 'adnanh/webhook, a rule that does not fire';

/** Verified, parsed, on disk (fsync), 202. No command fires. */
export const accept: Line = {
  name: 'accept',

  async measure(bench) {
    const requests = bench.quick ? 2_000 : 6_000;
    const user = makeUser(bench, 'accept');
    const own = await serve(bench, user);
    const memory: number[] = [];
    const contestant = (name: string, found: Found<Peer>): Contestant => ({
      name,
      found: found.ok
        ? { ok: true, peer: worker(bench, found.peer, requests, name === HOOKCTL ? memory : []) }
        : found,
    });
    const contest = await compete(
      bench,
      'accept',
      [
        contestant(HOOKCTL, { ok: true, peer: asPeer(own) }),
        contestant(OLD, await oldServer(bench)),
        contestant(BARE, { ok: true, peer: await baseline(bench) }),
        contestant(OCTOKIT, await octokitPeer(bench, 'octokit')),
        contestant(PROBOT, await octokitPeer(bench, 'probot')),
        contestant(ADNANH, await adnanh(bench, false)),
      ],
      bench.quick ? 2 : 7,
    );
    await own.stop();
    if (bench.profile) {
      await measureProfile(bench, 'accept', user, ({ origin }) => load(bench, { origin, requests }));
    }
    const cpu = 'accept: CPU time of the process';
    const speed = 'accept: requests a second; verified, parsed, fsync’d, 202';
    return {
      figures: [
        contest.cpu(BARE, 1.7, cpu),
        contest.speed(BARE, 0.58, speed),
        contest.speed(OCTOKIT, 0.76, speed),
        contest.speed(PROBOT, 0.74, speed),
        contest.speed(ADNANH, 1.7, speed),
        contest.cpu(OLD, 0.7, cpu),
        figure(
          {
            what: 'accept: resident memory',
            against: 'its highest in a round',
            unit: 'MB',
            must: { atMost: 180 },
            note: memory.length === 0 ? NO_PROC : null,
          },
          memory.slice(1),
        ),
      ],
      cpu: contest.cpuRows('accept'),
    };
  },
};

async function oldServer(bench: Bench): Promise<Found<Peer>> {
  const old = oldBinary(bench);
  if (!old.ok) return old;
  return { ok: true, peer: asPeer(await serve(bench, makeUser(bench, 'accept-old'), { binary: old.peer })) };
}

function asPeer({ pid, origin }: Serving): Peer {
  return { pid, origin, path: '/webhooks/github' };
}

function worker(bench: Bench, { pid, ...target }: Peer, requests: number, memory: number[]) {
  return {
    pid,
    async work() {
      let perSecond = 0;
      const highest = await highestResident(pid, async () => {
        ({ perSecond } = await load(bench, { ...target, requests }));
      });
      if (highest !== null) memory.push(highest);
      return { requests, perSecond };
    },
  };
}
