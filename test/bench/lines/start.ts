import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuOf, cpuOfCommand, HAS_PROC, NO_PROC, residentOf } from '../accounting.ts';
import { type Bench, type Figure, figure, type Line } from '../bench.ts';
import { hookctlBinary, oldBinary } from '../builds.ts';
import { OLD } from '../contest.ts';
import {
  cli,
  makeUser,
  type Serving,
  serve,
  TASK_COMMAND,
  type User,
  webhookNumber,
  writeWebhooks,
} from '../hookctl.ts';
import { here } from '../load.ts';
import { type Found, peerCli } from '../peers.ts';
import { median } from '../statistics.ts';
import { tasks } from './whole-job.ts';

const NODE = '`node -e 0`';

/** A command of the CLI, whose CPU time is compared with that of Node alone. */
interface Command {
  readonly args: readonly string[];
  readonly user: User;
  readonly atMost: number;
  readonly note?: string;
}

/** CPU time of commands from start to end, of `serve` until it is ready, and its memory while it has nothing to do. */
export const start: Line = {
  name: 'start',

  async measure(bench) {
    const user = makeUser(bench, 'start', TASK_COMMAND);
    const delivery = await fill(bench, user);
    const many = makeUser(bench, 'start-many');
    writeWebhooks(many, 1_000);
    // The file is as hookctl writes it from the first change on; so many were not written by hand.
    await cli(bench, many, 'webhook', 'disable', webhookNumber(0).name);
    const example = makeUser(bench, 'start-example');
    copyFileSync(here('../../webhooks.yml'), join(example.project, 'webhooks.yml'));
    const commands: readonly Command[] = [
      { args: ['--version'], user, atMost: 1.6 },
      { args: ['--help'], user, atMost: 2 },
      { args: ['task', 'list'], user, atMost: 2.6 },
      { args: ['delivery', 'list'], user, atMost: 2.6 },
      { args: ['flow', 'list'], user, atMost: 2.6 },
      { args: ['status'], user, atMost: 2.6 },
      { args: ['explain', delivery], user, atMost: 7 },
      { args: ['webhook', 'list'], user: many, atMost: 6, note: '1,000 dynamic webhooks' },
      { args: ['trigger', '--list'], user, atMost: 5 },
      { args: ['check'], user: example, atMost: 9, note: 'the example project' },
    ];
    return { figures: [...(await commandFigures(bench, commands)), ...(await serveFigures(bench))] };
  },
};

/** Some deliveries that made tasks; the id of one. */
async function fill(bench: Bench, user: User): Promise<string> {
  const server = await serve(bench, user);
  await tasks(bench, user, server, 20);
  await server.stop();
  const { stdout } = await cli(bench, user, 'delivery', 'list', '--json');
  const id = /dlv-\w+/.exec(stdout)?.[0];
  if (id === undefined) throw new Error(`no delivery in ${stdout}`);
  return id;
}

async function commandFigures(bench: Bench, commands: readonly Command[]): Promise<readonly Figure[]> {
  const binary = hookctlBinary(bench);
  const peers = { '`smee --help`': peerCli(bench, 'smee'), '`probot --help`': peerCli(bench, 'probot') };
  const time = (args: readonly string[], user?: User, cache?: string) =>
    cpuOfCommand(bench.programs, {
      side: 'server',
      command: [process.execPath, ...args],
      ...(user !== undefined && { cwd: user.project }),
      env: { ...user?.env, ...(cache !== undefined && { XDG_CACHE_HOME: cache }) },
    });
  const warm = commands.map((): number[] => []);
  const cold = commands.map((): number[] => []);
  const lists = new Map(Object.keys(peers).map((name) => [name, [] as number[]]));
  const rounds = bench.quick ? 5 : 15;
  // The first round compiles.
  for (let round = 0; round <= rounds; round++) {
    const isCold = round > 0 && round <= rounds / 3;
    const node = await time(['-e', '0']);
    const own: number[] = [];
    for (const [index, { args, user }] of commands.entries()) {
      own.push(await time([binary, ...args], user));
      if (isCold) {
        const cache = bench.place(`cache-${round}-${index}`);
        cold[index]?.push((await time([binary, ...args], user, cache)) / node);
      }
    }
    if (round === 0) continue;
    for (const [index, ms] of own.entries()) warm[index]?.push(ms / node);
    for (const [name, found] of Object.entries(peers)) {
      const list = own[commands.findIndex(({ args }) => args[0] === 'task')] ?? Number.NaN;
      if (found.ok) lists.get(name)?.push(list / (await time([found.peer, '--help'])));
    }
    bench.say(
      `start, round ${round}: node ${node.toFixed(0)} ms, ${own.map((ms) => ms.toFixed(0)).join(' ')}`,
    );
  }
  return [
    ...commands.map(({ args, atMost, note }, index) =>
      figure(
        {
          what: `start: CPU time of \`${shown(args)}\``,
          against: NODE,
          must: { atMost },
          note: [...(note === undefined ? [] : [note]), `cold ${median(cold[index] ?? []).toFixed(1)}`].join(
            '; ',
          ),
        },
        warm[index] ?? [],
      ),
    ),
    ...Object.entries(peers).map(([against, found]) =>
      figure(
        {
          what: 'start: CPU time of `task list`',
          against,
          must: { atMost: 0.7 },
          note: found.ok ? null : found.why,
        },
        lists.get(against) ?? [],
      ),
    ),
  ];
}

function shown(args: readonly string[]): string {
  return args.filter((each) => !each.startsWith('dlv-')).join(' ');
}

async function serveFigures(bench: Bench): Promise<readonly Figure[]> {
  const old = oldBinary(bench);
  const own = makeUser(bench, 'start-serve');
  const other = makeUser(bench, 'start-serve-old');
  const cpu: number[] = [];
  const memory: number[] = [];
  if (HAS_PROC) {
    for (let round = 0; round <= (bench.quick ? 2 : 7); round++) {
      const ready = await untilReady(await serve(bench, own));
      const node = await residentNode(bench);
      const before = old.ok ? await untilReady(await serve(bench, other, { binary: old.peer })) : null;
      // The first one makes the db and compiles.
      if (round === 0) continue;
      memory.push(ready.resident / node);
      if (before !== null) cpu.push(ready.cpu / before.cpu);
      const seen = [ready, ...(before === null ? [] : [before])];
      bench.say(`serve, round ${round}: ${seen.map(said).join(' against ')}; node ${node.toFixed(0)} MB`);
    }
  }
  return [
    figure(
      {
        what: 'start: CPU time of `serve` until it is ready',
        against: OLD,
        must: { atMost: 0.5 },
        note: HAS_PROC ? whyNot(old) : NO_PROC,
      },
      cpu,
    ),
    figure(
      {
        what: 'start: resident memory of `serve` with nothing to do',
        against: 'Node with nothing to do',
        must: { atMost: 1.8 },
        note: HAS_PROC ? null : NO_PROC,
      },
      memory,
    ),
  ];
}

interface Ready {
  /** Until the ready line, in milliseconds. */
  readonly cpu: number;
  /** A moment later, in megabytes. */
  readonly resident: number;
}

async function untilReady({ pid, stop }: Serving): Promise<Ready> {
  const cpu = cpuOf(pid).total / 1_000;
  const resident = await restingMemory(pid);
  await stop();
  return { cpu, resident };
}

async function residentNode({ programs }: Bench): Promise<number> {
  const idle = "console.log('{}'); setInterval(() => undefined, 2 ** 30)";
  const { pid, stop } = await programs.listen({ side: 'server', command: [process.execPath, '-e', idle] });
  const resident = await restingMemory(pid);
  await stop();
  return resident;
}

async function restingMemory(pid: number): Promise<number> {
  await delay(1_500);
  return residentOf(pid);
}

function said({ cpu, resident }: Ready): string {
  return `${cpu.toFixed(0)} ms, ${resident.toFixed(0)} MB`;
}

function whyNot<T>(found: Found<T>): string | null {
  return found.ok ? null : found.why;
}
