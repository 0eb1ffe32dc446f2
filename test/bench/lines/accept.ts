import type { Bench, Figure, Line } from '../bench.ts';
import { makeUser, serve } from '../hookctl.ts';
import { load } from '../load.ts';
import { adnanh, baseline, type Found, octokitPeer, type Peer } from '../peers.ts';
import { measureProfile } from '../profile.ts';
import { median } from '../statistics.ts';

interface Opponent {
  readonly against: string;
  readonly must: { readonly atLeast: number };
  readonly found: Found<Peer>;
}

/** Verified, strictly parsed, on disk (fsync), 202. No command fires. */
export const accept: Line = {
  name: 'accept',

  async measure(bench) {
    const user = makeUser(bench, 'accept');
    const own = await serve(bench, user);
    const opponents = await open(bench);
    const requests = bench.quick ? 2_000 : 6_000;
    const rounds: ReadonlyMap<string, number>[] = [];
    // The first round warms all of them up.
    for (let round = 0; round <= (bench.quick ? 3 : 7); round++) {
      const { perSecond } = await load(bench, { origin: own.origin, requests });
      const ratios = new Map<string, number>();
      for (const { against, found } of opponents) {
        if (!found.ok) continue;
        const other = await load(bench, { ...found.peer, requests });
        ratios.set(against, perSecond / other.perSecond);
      }
      if (round > 0) rounds.push(ratios);
      bench.say(`accept, round ${round}: ${Math.round(perSecond)}/s`);
    }
    await own.stop();
    if (bench.profile) {
      await measureProfile(bench, 'accept', user, ({ origin }) => load(bench, { origin, requests }));
    }
    return opponents.map((opponent) => figure(opponent, rounds));
  },
};

async function open(bench: Bench): Promise<readonly Opponent[]> {
  return [
    {
      against: 'bare `node:http` that verifies and parses, and stores nothing',
      must: { atLeast: 0.65 },
      found: { ok: true, peer: await baseline(bench) },
    },
    {
      against: '`@octokit/webhooks`’ middleware',
      must: { atLeast: 1 },
      found: await octokitPeer(bench, 'octokit'),
    },
    { against: 'Probot', must: { atLeast: 1.5 }, found: await octokitPeer(bench, 'probot') },
    {
      against: 'adnanh/webhook, a rule that does not fire',
      must: { atLeast: 1.5 },
      found: await adnanh(bench, false),
    },
  ];
}

function figure({ against, must, found }: Opponent, all: readonly ReadonlyMap<string, number>[]): Figure {
  const rounds = all.flatMap((ratios) => ratios.get(against) ?? []);
  const what = 'accept: verified, parsed, fsync’d, 202';
  const note = found.ok ? null : found.why;
  return { what, against, unit: '×', value: found.ok ? median(rounds) : null, rounds, must, note };
}
