import { request } from 'undici';
import { type Bench, type Figure, figure, type Line } from '../bench.ts';
import { hookctlBinary } from '../builds.ts';
import { cli, makeUser, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { here, poolLoop } from '../load.ts';
import { writeProfile } from '../profile.ts';
import { tasks } from './whole-job.ts';

export const replay: Line = {
  name: 'replay',

  async measure(bench) {
    const user = makeUser(bench, 'replay', TASK_COMMAND);
    const here = await dispatch(bench, user);
    return { figures: [here, await sendElsewhere(bench, user)] };
  },
};

/** Rounds of new deliveries through the ingress and the replay of just those, each to the last task file. */
async function dispatch(bench: Bench, user: User): Promise<Figure> {
  const server = await serve(bench, user);
  const rounds: number[] = [];
  const each = bench.quick ? 1_000 : 2_000;
  for (let round = 0; round <= (bench.quick ? 2 : 5); round++) {
    const since = new Date().toISOString();
    const { perSecond } = await tasks(bench, user, server, each);
    const { stdout, ms } = await cli(bench, user, 'replay', '--since', since);
    if (!stdout.includes(`${each.toLocaleString('en-US')} processed`)) throw new Error(stdout);
    const replayed = each / (ms / 1_000);
    bench.say(`replay, round ${round}: ${Math.round(replayed)}/s against ${Math.round(perSecond)}/s`);
    if (round > 0) rounds.push(replayed / perSecond);
  }
  await server.stop();
  return figure(
    {
      what: `replay of ${(each * rounds.length).toLocaleString('en-US')}, to the last task file`,
      against: 'the same work through the ingress',
      must: { atLeast: 0.8 },
      note: 'with the start of the command',
    },
    rounds,
  );
}

async function sendElsewhere(bench: Bench, user: User): Promise<Figure> {
  const command = [process.execPath, here('programs/receiver.ts')];
  const receiver = await bench.programs.listen({ side: 'server', command });
  const origin = `http://127.0.0.1:${receiver.ready.port}`;
  const seen = async () => {
    const { body } = await request(origin);
    const { count, seconds } = (await body.json()) as { count: number; seconds: number };
    return count / seconds;
  };
  const rounds: number[] = [];
  for (let round = 0; round <= (bench.quick ? 2 : 5); round++) {
    const { stdout } = await cli(bench, user, ...sending(origin));
    const own = await seen();
    const sent = Number(/^sent ([\d,]+)/.exec(stdout)?.[1]?.replaceAll(',', ''));
    await poolLoop(bench, { origin, requests: sent });
    const other = await seen();
    bench.say(`replay --to, round ${round}: ${Math.round(own)}/s against ${Math.round(other)}/s of ${sent}`);
    if (round > 0) rounds.push(own / other);
  }
  if (bench.profile) {
    await writeProfile(bench, 'replay-to', (node) =>
      bench.programs.run({
        side: 'generator',
        command: [process.execPath, ...node, hookctlBinary(bench), ...sending(origin)],
        cwd: user.project,
        env: user.env,
      }),
    );
  }
  await receiver.stop();
  return figure(
    {
      what: '`replay --to`: kept bytes and headers, read and sent',
      against: 'a loop over undici’s `Pool` that has them in memory',
      must: { atLeast: 0.8 },
      note: 'from the first request to the last, 50 connections',
    },
    rounds,
  );
}

function sending(origin: string): readonly string[] {
  return ['replay', '--webhook', 'github', '--to', `${origin}/hook`, '--concurrency', '50', '--yes'];
}
