import type { Figure, Line } from '../bench.ts';
import { cli, hookctlBinary, makeUser, serve } from '../hookctl.ts';
import { median } from '../statistics.ts';

/** What a person waits for before anything happens. */
export const cliStart: Line = {
  name: 'cli',

  async measure(bench) {
    const user = makeUser(bench, 'cli');
    const server = await serve(bench, user);
    await cli(bench, user, 'webhook', 'add', 'github', '--name', 'triage');
    // A list is remembered once its files have been at rest for two seconds.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await cli(bench, user, 'webhook', 'list');
    const binary = hookctlBinary(bench);
    const version = [binary, '--version'];
    const list = [binary, 'webhook', 'list'];
    const rounds = { version: [] as number[], served: [] as number[], alone: [] as number[] };
    const time = async (args: readonly string[]) => {
      const command = [process.execPath, ...args];
      const ended = await bench.programs.run({
        side: 'generator',
        command,
        cwd: user.project,
        env: user.env,
      });
      if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.stderr}`);
      return ended.ms;
    };
    const count = bench.quick ? 15 : 40;
    for (let round = 0; round <= count; round++) {
      const node = await time(['-e', '0']);
      const times = { version: (await time(version)) / node, served: (await time(list)) / node };
      if (round === 0) continue;
      rounds.version.push(times.version);
      rounds.served.push(times.served);
    }
    await server.stop();
    for (let round = 0; round <= count; round++) {
      const node = await time(['-e', '0']);
      const ratio = (await time(list)) / node;
      if (round > 0) rounds.alone.push(ratio);
    }
    return [
      figure('`hookctl --version`', rounds.version, 1.6),
      figure('`hookctl webhook list` while a server runs', rounds.served, 2.5),
      figure('`hookctl webhook list` without a server', rounds.alone, 2.5),
    ];
  },
};

function figure(what: string, rounds: readonly number[], atMost: number): Figure {
  const against = '`node -e 0`';
  return { what, against, unit: '×', value: median(rounds), rounds, must: { atMost }, note: null };
}
