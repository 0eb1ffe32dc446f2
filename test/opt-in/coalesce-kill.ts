/** Kills hookctl before and after each step of events that wait for each other; then each is in exactly one task. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const YAML = `
webhooks:
  github:
    coalesce: { window: 1s, max: 20s }
    commands:
      - { name: analyze, template: 'Analyze {{@argument}}' }
      - { trigger: check_run.completed, template: 'Red: {{check_run.name}}' }
`;
const NAMES = ['one', 'two', 'three'];
const OPERATIONS = [
  'accept 1',
  'accept 2',
  'accept 3',
  'holdDelivery 1',
  'holdDelivery 2',
  'holdDelivery 3',
  'recordOutcome 1',
];
const KILLS = OPERATIONS.flatMap((operation) => [`before ${operation}`, `after ${operation}`]);

async function run(
  folder: string,
  kill: string,
): Promise<{ readonly said: string; readonly signal: unknown }> {
  const program = join(import.meta.dirname, 'coalescing-program.ts');
  const child = spawn(process.execPath, [program, folder, NAMES.join(), kill], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const said = await text(child.stdout);
  const [, signal] = (await exit) as [number | null, string | null];
  return { said, signal };
}

const counts = { passed: 0, failed: 0 };
for (const kill of KILLS) {
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-coalesce-'));
  try {
    writeFileSync(join(folder, 'webhooks.yml'), YAML);
    const { signal } = await run(folder, kill);
    const { said } = await run(folder, '');
    const { prompts, statuses } = JSON.parse(said) as { prompts: string[]; statuses: string[] };
    const told = prompts.flatMap((prompt) =>
      [...prompt.matchAll(/>(one|two|three)</g)].map(([, name]) => name),
    );
    const isRight =
      signal === 'SIGKILL' &&
      told.toSorted().join() === NAMES.toSorted().join() &&
      !statuses.includes('pending');
    counts[isRight ? 'passed' : 'failed'] += 1;
    console.log(
      `${isRight ? 'ok' : 'FAILED'}  killed ${kill}: ${prompts.length} tasks, events ${told.join()}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
