import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { writeFileAtomic } from '../../../lib/files/atomic-file.ts';
import { say } from '../../../lib/io.ts';
import { commandLine } from '../../../lib/shell-quote.ts';
import { escapeInvisible, escapeInvisibleJson } from '../../../lib/text/escape-invisible.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { countedNoun } from '../../kit/print.ts';
import { contentOf } from '../import.ts';
import { type Converted, convertHook } from './hook.ts';
import { readHooks } from './hooks-file.ts';

interface ConvertFlags extends JsonFlags {
  readonly output?: string;
}

export const configureConvert: CliCommand = (command, runner) => {
  command
    .description(
      'Convert hooks.json of adnanh/webhook to what `webhook import` takes; says per hook what cannot be.',
    )
    .argument('<file>', 'hooks.json or hooks.yaml of adnanh/webhook; - reads stdin')
    .option(
      '--output <file>',
      'write to this file (mode 0600) instead of stdout; secrets of the hooks are in it',
    )
    .option('--json', 'print { webhooks, hooks }: what to import, and what became of each hook')
    .examples(
      'hookctl webhook convert hooks.json --output converted.json',
      'hookctl webhook convert hooks.json | hookctl webhook import -',
    )
    .action(runner.action(command, run));
};

async function run(app: Services, file: string, { json, output }: ConvertFlags): Promise<0 | 1> {
  const hooks = (await readHooks(file, await contentOf(app, file))).map(convertHook);
  const webhooks = hooks.flatMap(({ webhook }) => webhook ?? []);
  const report = hooks.map(({ id, webhook, notes }) => ({ id, outcome: outcomeOf(webhook), notes }));
  const content = `${escapeInvisibleJson(json === true ? { webhooks, hooks: report } : { webhooks }, 2)}\n`;
  for (const { id, outcome, notes } of report)
    say(app.io.err, escapeInvisible([`${id}: ${outcome}`, ...notes.map((note) => `  ${note}`)].join('\n')));
  if (output === undefined) app.io.out.write(content);
  else {
    const path = resolve(app.cwd, output);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, content);
    say(app.io.out, `wrote ${output}: ${countedNoun(webhooks.length, 'webhook')}`);
    say(app.io.err, `Next: ${commandLine('hookctl', 'webhook', 'import', output)}`);
  }
  return webhooks.length === hooks.length ? 0 : 1;
}

function outcomeOf(webhook: Converted['webhook']): 'converted' | 'disabled' | 'left out' {
  if (webhook === null) return 'left out';
  return webhook.enabled === false ? 'disabled' : 'converted';
}
