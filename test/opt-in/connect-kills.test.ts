/**
 * `npm run test:connect`: a program that makes, replaces, moves or removes a hook is killed at each call to the sender: before it
 * is worked on, before it is answered, and after. Run again, there is one hook, with its secret; hooks of others are as they were.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../src/connect/operations.ts';
import { type ProgramOrder, programContext } from '../connect/program-context.ts';
import { storePath } from '../store/fixtures.ts';
import {
  type KeptHook,
  type LoopbackApi,
  type Moment,
  startLoopback,
} from '../support/hook-apis/loopback.ts';
import { SENDERS } from '../support/hook-apis/senders.ts';

const PROGRAM = join(import.meta.dirname, '..', 'connect', 'connecting-program.ts');
const SECRET = 'a-secret-of-the-webhook-0123456789';

const results = { passed: 0, failed: 0 };
afterAll(() => console.log(`${results.passed} passed, ${results.failed} failed, 0 skipped`));

interface Case {
  readonly name: string;
  readonly connector: string;
  readonly work: 'connect' | 'repoint' | 'remove';
  /** It is connected before, with this secret. */
  readonly before: string | null;
  /** How many calls the work takes. */
  readonly calls: number;
}

const CASES: readonly Case[] = [
  { name: 'a hook is made', connector: 'github', work: 'connect', before: null, calls: 3 },
  { name: 'a hook is replaced', connector: 'gitea', work: 'connect', before: 'former', calls: 4 },
  { name: 'the sender makes the secret', connector: 'stripe', work: 'connect', before: null, calls: 3 },
  { name: 'a URL changes', connector: 'gitlab', work: 'repoint', before: SECRET, calls: 1 },
  { name: 'a hook is removed', connector: 'github', work: 'remove', before: SECRET, calls: 1 },
];
const MOMENTS: readonly Moment[] = ['came', 'done', 'answered'];
const ALL = CASES.flatMap((each) =>
  MOMENTS.flatMap((moment) =>
    Array.from({ length: each.calls }, (_, index) => ({ ...each, moment, index, call: index + 1 })),
  ),
).filter(({ work, index, calls }) => work !== 'connect' || index > 0 || calls === 3);

test.each(ALL)('$connector, $name: killed at call $call ($moment)', async (given) => {
  results.failed += 1;
  const { connector, work, moment, index } = given;
  const sender = SENDERS[connector];
  if (sender === undefined) throw new Error(`there is no sender ${connector}`);
  const api = await startLoopback(sender.spec);
  const foreign = [
    'https://ci.example/a',
    'https://ci.example/b',
    'https://ci.example/webhooks/mine?hookctl=ffffffffffffffff',
  ].map((url): KeptHook => {
    const id = connector === 'stripe' ? `we_${api.nextId()}` : api.nextId();
    const hook = { id, place: sender.place, url, events: ['push'], secret: 'theirs', isActive: true };
    api.hooks.push(hook);
    return hook;
  });
  const untouched = structuredClone(foreign);
  const order: ProgramOrder = {
    ...{ path: storePath(), apiUrl: api.url(), connector },
    ...{ publicUrl: 'https://first.example', secret: SECRET },
  };
  if (given.before !== null) await connectBefore({ ...order, secret: given.before }, sender.target);
  const now = work === 'repoint' ? { ...order, publicUrl: 'https://second.example' } : order;

  await killAt(api, { index: api.calls.length + index, moment }, [work, JSON.stringify(now), sender.target]);
  expect(await run([work, JSON.stringify(now), sender.target])).toContain('done');

  const context = await programContext(now);
  try {
    const marker = context.store.installationId();
    const own = api.hooks.filter(({ url }) => url.endsWith(`?hookctl=${marker}`));
    expect(foreign).toEqual(untouched);
    expect(api.hooks).toHaveLength(untouched.length + own.length);
    const records = context.store.connections();
    if (work === 'remove') expect([own, records]).toEqual([[], []]);
    else {
      const secret = context.snapshot().webhooks[0]?.secrets[0]?.value.reveal();
      expect(own).toMatchObject([{ url: `${now.publicUrl}/webhooks/mine?hookctl=${marker}`, secret }]);
      expect(records).toMatchObject([{ remoteId: own[0]?.id, url: own[0]?.url }]);
    }
  } finally {
    await context.close();
  }
  results.failed -= 1;
  results.passed += 1;
});

async function connectBefore(order: ProgramOrder, target: string): Promise<void> {
  const context = await programContext(order);
  await connect(context, {
    ...{ connector: order.connector, target, isOrganisation: false, webhook: 'mine' },
    ...{ adopt: null, isDryRun: false },
  });
  await context.close();
}

/** Runs the program and kills it with -9 at a moment of a call. */
async function killAt(
  api: LoopbackApi,
  at: { readonly index: number; readonly moment: Moment },
  args: readonly string[],
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let isKilled = false;
  api.onMoment = async (index, moment) => {
    if (index !== at.index || moment !== at.moment) return;
    isKilled = true;
    child.kill('SIGKILL');
    await ended;
  };
  await ended;
  api.onMoment = null;
  expect(isKilled, 'the work takes so many calls').toBe(true);
}

async function run(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await once(child, 'close');
  return printed;
}
