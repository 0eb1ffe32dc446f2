import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { exportWebhooks } from '../../config/dynamic/edit.ts';
import { findWebhook } from '../../config/dynamic/find.ts';
import type { DbWebhook } from '../../config/dynamic/schema.ts';
import type { Configuration } from '../../config/index.ts';
import { usageError } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleJson } from '../../lib/text/escape-invisible.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import type { CliCommand } from '../kit/command.ts';
import { oneOf } from '../kit/options.ts';
import { countedNoun } from '../kit/print.ts';

interface ExportFlags extends ServiceFlags {
  readonly format: 'json' | 'yaml';
  readonly typescript?: boolean;
  readonly withSecrets?: boolean;
  readonly output?: string;
}

export const configureExport: CliCommand = (command, runner) => {
  command
    .description('Export dynamic webhooks for `webhook import`, or as a TypeScript module.')
    .argument('[webhook...]', 'ids or names; all dynamic ones if left out')
    .addOption(oneOf('--format <format>', 'output format', ['json', 'yaml']).default('json'))
    .option('--typescript', 'write a module with defineWebhook, for `static:` in webhooks.yml')
    .option('--with-secrets', 'include the secrets that webhooks.json contains')
    .option('--output <file>', 'write to this file (mode 0600) instead of stdout')
    .examples(
      'hookctl webhook export --format yaml > webhooks-backup.yml',
      'hookctl webhook export triage --typescript --output triage.ts',
    )
    .action(runner.action(command, run));
};

async function run(app: Services, refs: readonly string[], flags: ExportFlags): Promise<0> {
  const configuration = await app.configuration();
  const webhooks = chosen(configuration, refs);
  const content = await written(webhooks, configuration, flags);
  if (flags.output === undefined) {
    if (flags.withSecrets === true) revealAll(app, webhooks);
    app.io.out.write(content);
    return 0;
  }
  const file = resolve(app.cwd, flags.output);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, content);
  say(app.io.out, `wrote ${flags.output}: ${countedNoun(webhooks.length, 'webhook')}`);
  say(app.io.err, `Next: ${nextAfter(webhooks, flags)}`);
  return 0;
}

/** Lets the output show the secrets that the user asked for. */
function revealAll({ redactor }: Services, webhooks: readonly DbWebhook[]): void {
  for (const secret of webhooks.flatMap(({ secrets }) => secrets)) {
    if ('value' in secret) redactor.reveal(secret.value);
  }
}

function chosen({ snapshot, dynamic }: Configuration, refs: readonly string[]): readonly DbWebhook[] {
  const all = dynamic.entries.map(({ written }) => written);
  if (refs.length === 0) return all;
  return refs.map((ref) => {
    const { name } = findWebhook(snapshot.webhooks, ref);
    const webhook = all.find((it) => it.name === name);
    if (webhook !== undefined) return webhook;
    throw usageError(
      `${name} is static: the project defines it already`,
      `For a dynamic copy: ${commandLine('hookctl', 'webhook', 'add', '--from', name)}`,
    );
  });
}

async function written(
  webhooks: readonly DbWebhook[],
  { fixed }: Configuration,
  flags: ExportFlags,
): Promise<string> {
  if (flags.typescript === true) {
    const { exportTypescript } = await import('../../config/dynamic/typescript.ts');
    return exportTypescript(
      webhooks,
      fixed.map(({ name }) => name),
    );
  }
  const value = exportWebhooks(webhooks, { withSecrets: flags.withSecrets === true });
  return flags.format === 'yaml' ? stringify(value) : `${escapeInvisibleJson(value, 2)}\n`;
}

function nextAfter(webhooks: readonly DbWebhook[], { typescript, output }: ExportFlags): string {
  if (typescript !== true) return commandLine('hookctl', 'webhook', 'import', output ?? '-');
  const id = webhooks[0]?.webhook_id ?? '<webhook>';
  return [
    'two webhooks cannot have the same name, so in this order:',
    `  hookctl webhook show ${id} --show-secret    # set the variable that the module names to it`,
    `  hookctl webhook remove ${id}`,
    `  move ${output} to where \`static:\` looks, and restart serve`,
  ].join('\n');
}
