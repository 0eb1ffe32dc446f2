import { request } from 'undici';
import { type Bench, type Figure, figure, type Line } from '../bench.ts';
import { hookctlBinary } from '../builds.ts';
import { makeUser, type Serving, serve, type User, webhookNumber, writeWebhooks } from '../hookctl.ts';

/** From `webhook disable` to the first request that is refused for it, less what the command takes to start. */
export const hotReload: Line = {
  name: 'hot-reload',

  async measure(bench) {
    const nothing = makeUser(bench, 'hot-reload-nothing');
    return {
      figures: [await withWebhooks(bench, nothing, 10, 100), await withWebhooks(bench, nothing, 1_000, 500)],
    };
  },
};

/** The same command where there is nothing to disable: it reads all its code, and ends. */
async function startUpMs(bench: Bench, user: User): Promise<number> {
  const command = [process.execPath, hookctlBinary(bench), 'webhook', 'disable', 'nothing'];
  const { ms } = await bench.programs.run({ side: 'any', command, cwd: user.project, env: user.env });
  return ms;
}

async function withWebhooks(bench: Bench, nothing: User, count: number, atMost: number): Promise<Figure> {
  const user = makeUser(bench, `hot-reload-${count}`);
  writeWebhooks(user, count);
  const server = await serve(bench, user, { side: 'any' });
  const rounds: number[] = [];
  for (let round = 0; round < (bench.quick ? 4 : 9); round++) {
    const startUp = await startUpMs(bench, nothing);
    const inForce = await disabled(bench, user, server, count - 1 - round);
    bench.say(
      `hot reload, ${count} webhooks: ${inForce.toFixed(0)} ms, ${startUp.toFixed(0)} of them to start`,
    );
    // The first one also finds a db that nobody has validated yet.
    if (round > 0) rounds.push(inForce - startUp);
  }
  await server.stop();
  return figure(
    {
      what: `hot reload: \`webhook disable\` in force, ${count.toLocaleString('en-US')} webhooks`,
      against: 'what the command takes to start',
      unit: 'ms',
      must: { atMost },
    },
    rounds,
  );
}

async function disabled(bench: Bench, user: User, { origin }: Serving, index: number): Promise<number> {
  const { name, endpoint } = webhookNumber(index);
  const begin = performance.now();
  const command = [process.execPath, hookctlBinary(bench), 'webhook', 'disable', name];
  const ending = bench.programs.run({ side: 'any', command, cwd: user.project, env: user.env });
  // Unsigned, so that nothing is stored while it is looked: 401 as long as the webhook takes requests.
  let status = 401;
  while (status === 401) {
    const answer = await request(origin + endpoint, { method: 'POST', body: '{}' });
    status = answer.statusCode;
    await answer.body.dump();
    if (performance.now() - begin > 20_000) throw new Error(`${name} is still enabled`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const ms = performance.now() - begin;
  const { code, stderr } = await ending;
  if (code !== 0) throw new Error(`webhook disable ended with ${code}: ${stderr}`);
  return ms;
}
