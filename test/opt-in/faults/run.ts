/**
 * `npm run test:faults`: every kind of fault that hookctl must survive, and how many of its parts held. Takes about
 * an hour.
 *
 *   --short         some seconds of each, as CI runs it
 *   --quick         a few of each, some minutes
 *   --only <name>   one kind (repeatable); names stand in index.ts
 *   --cli <file>    another hookctl than the one in src/: its bin/hookctl.js
 *
 * HOOKCTL_TEST_SEED fixes what is chosen at random in power-loss, which prints its seed.
 */
import { parseArgs } from 'node:util';
import { type Fault, type Outcome, tryFault } from './fault.ts';
import { faults } from './index.ts';
import { buildHookctl } from './support/build.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    cli: { type: 'string' },
  },
});
const unknown = values.only.find((name) => !faults.some((fault) => fault.name === name));
if (unknown === undefined) await main();
else {
  console.error(`there is no fault ${unknown}; there are ${faults.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const build = values.cli === undefined ? buildHookctl() : { hookctl: values.cli, remove: () => undefined };
  const chosen = faults.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  const results: Result[] = [];
  try {
    for (const fault of chosen) results.push(await line(fault, build.hookctl));
  } finally {
    build.remove();
  }
  const count = (result: Result) => results.filter((each) => each === result).length;
  console.log(`\n${count('held')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  process.exitCode = count('failed') === 0 ? 0 : 1;
}

type Result = 'held' | 'failed' | 'skipped';

/** Tries one and prints its line. */
async function line(fault: Fault, hookctl: string): Promise<Result> {
  const lacking = fault.lacks?.() ?? null;
  if (lacking !== null) {
    console.log(`${fault.name.padEnd(16)} skipped: ${lacking}`);
    return 'skipped';
  }
  const startedAt = performance.now();
  const scale = values.short ? 'short' : values.quick ? 'quick' : 'full';
  const outcome = await tryFault(fault, { scale, hookctl, progress: progressOf(fault) });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  clearProgress();
  print(fault, outcome, seconds);
  return outcome.held === outcome.parts ? 'held' : 'failed';
}

function print(
  { name, claim }: Fault,
  { held, parts, notes, failures, skipped }: Outcome,
  seconds: number,
): void {
  const facts = [...notes, `${seconds} s`].join(', ');
  console.log(`${name.padEnd(16)} ${`${held} of ${parts} held`.padEnd(20)} ${claim} (${facts})`);
  for (const failure of failures) console.log(`  ✗ ${failure}`);
  for (const part of skipped) console.log(`  skipped: ${part}`);
}

function progressOf({ name }: Fault) {
  return (parts: number, failures: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${parts} tried, ${failures} not held`);
    else if (parts % 50 === 0) process.stderr.write(`${name}: ${parts} tried, ${failures} not held\n`);
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
