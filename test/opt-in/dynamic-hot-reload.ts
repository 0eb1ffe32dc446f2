import { readFileSync, statSync } from 'node:fs';
import { loadOn } from '../config/dynamic/load.ts';
import { SAVE_PATTERNS } from '../config/dynamic/save-patterns.ts';
import { dbText, record } from '../config/dynamic/support.ts';
import { makeBed, type Served, type ServeLine, serve, spread } from './dynamic-support.ts';

/*
 * A server under a load of signed requests while its webhooks change: 300 times by the CLI, 100 times as editors save
 * files (or as many as given). No request may fail that should pass, and no state may come into force by half.
 *   npm run test:hot-reload
 */

const CLI_CHANGES = Number(process.argv[2] ?? 300);
const SAVES = Number(process.argv[3] ?? 100);
const LANES = 2;

const lasting = record(1);
const bed = makeBed(dbText([lasting]));
const served = await serve(bed);
const load = loadOn(served.url + lasting.endpoint, 'secret-of-1', LANES);
const patterns = Object.entries(SAVE_PATTERNS);
const times = { cli: [] as number[], command: [] as number[], saves: new Map<string, number[]>() };

/** Time from the last write of the file to the line that tells that it is in force. */
async function inForce(what: string, fits: (line: ServeLine) => boolean): Promise<number> {
  const line = await served.until(what, (it) => it.of === 'webhooks' && it.state === 'applied' && fits(it));
  return Date.parse(line.at) - statSync(bed.db).mtimeMs;
}

/** Added, disabled, enabled, edited, given a command, removed: one after the other. */
async function changeByCli(number: number): Promise<void> {
  const name = `cli-${Math.floor(number / 6)}`;
  const steps = [
    ['added', 'webhook', 'add', 'github', '--name', name],
    ['disabled', 'webhook', 'disable', name],
    ['enabled', 'webhook', 'enable', name],
    ['changed', 'webhook', 'edit', name, '--prefix', '@bot'],
    [
      'changed',
      'webhook',
      'command',
      'add',
      name,
      '--trigger',
      'issues.opened',
      '--template',
      '{{issue.title}}',
    ],
    ['removed', 'webhook', 'remove', name],
  ] as const;
  const [list, ...args] = steps[number % 6] ?? steps[0];
  const begin = performance.now();
  await bed.run(...args);
  times.command.push(performance.now() - begin);
  times.cli.push(await inForce(`${name} ${list}`, (line) => names(line, list).includes(name)));
}

/** A save by an editor: what the CLI wrote stays, and two webhooks change together. */
async function changeBySave(number: number): Promise<void> {
  const [pattern, save] = patterns[number % patterns.length] ?? [];
  if (pattern === undefined || save === undefined) throw new Error('there are no patterns');
  const { webhooks } = JSON.parse(readFileSync(bed.db, 'utf8')) as { webhooks: ReturnType<typeof record>[] };
  const others = webhooks.filter(({ name }) => !name.startsWith('save '));
  const pair = [2, 3].map((id) => record(id, { name: `save ${number} ${id}` }));
  await save(bed.db, dbText([...others, ...pair]));
  const took = await inForce(pattern, (line) => names(line, 'added', 'changed').includes(`save ${number} 3`));
  times.saves.set(pattern, [...(times.saves.get(pattern) ?? []), took]);
}

/** Pairs that came into force one without the other. */
function halves({ lines }: Served): readonly string[] {
  const together = lines
    .filter(({ of, state }) => of === 'webhooks' && state === 'applied')
    .map((line) => names(line, 'added', 'changed').filter((name) => name.startsWith('save ')));
  return together.filter((pair) => pair.length === 1).flat();
}

function names(line: ServeLine, ...lists: readonly string[]): readonly string[] {
  return lists.flatMap((list) => (line[list] as readonly string[] | undefined) ?? []);
}

try {
  for (let number = 0, saved = 0; number < CLI_CHANGES; number++) {
    await changeByCli(number);
    for (; saved < Math.floor(((number + 1) * SAVES) / CLI_CHANGES); saved++) await changeBySave(saved);
  }
} finally {
  await load.stop();
  await served.stop();
  bed.remove();
}

const failed = [...load.answers].filter(([status]) => status !== 202);
const half = halves(served);
console.log(
  `requests: ${load.answers.get(202) ?? 0} accepted, ${failed.length === 0 ? 'none' : JSON.stringify(failed)} failed`,
);
console.log(`half states in force: ${half.length}${half.length === 0 ? '' : ` (${half.join(', ')})`}`);
console.log(`from write to force, CLI: ${spread(times.cli)}; whole command: ${spread(times.command)}`);
for (const [pattern, took] of times.saves) console.log(`from write to force, ${pattern}: ${spread(took)}`);
process.exitCode = failed.length === 0 && half.length === 0 ? 0 : 1;
