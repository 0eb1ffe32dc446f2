import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import type { Restored } from '../../config/dynamic/index.ts';
import { readYaml, type YamlText } from '../../config/yaml.ts';
import { ConfigError, type Diagnostic, messageOf, usageError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { serverClient, webhookCall } from '../kit/operate.ts';
import { countedNoun, facts } from '../kit/print.ts';
import { report, type WebhookAnswer } from './change.ts';

export const configureImport: CliCommand = (command, runner) => {
  command
    .description('Import webhooks from an export; one with a known id replaces the present one.')
    .argument('<file>', 'JSON or YAML, as `webhook export` writes it; - reads stdin')
    .option('--json', 'print an array of { outcome, webhook }')
    .examples('hookctl webhook import webhooks.yml', 'hookctl webhook import - < export.json')
    .action(runner.action(command, run));
};

/** What became of one imported webhook. */
interface Imported extends Pick<WebhookAnswer, 'secret'> {
  readonly outcome: 'added' | 'updated';
  readonly webhook: WebhookAnswer;
}

async function run(app: Services, file: string, { json }: JsonFlags): Promise<0> {
  // JSON is valid YAML, so one reader gives positions for both.
  const text = await readYaml(file, await contentOf(app, file));
  if (text.problems.length > 0) throw new ConfigError(text.problems);
  const { call, isServed } = await webhookCall(app);
  const body = { content: text.value };
  const imported = await call<readonly Imported[]>({
    method: 'POST',
    path: '/api/webhooks/import',
    body,
  }).catch((error: unknown) => {
    throw error instanceof ConfigError ? new ConfigError(error.problems.map(placedIn(text))) : error;
  });
  for (const { secret } of imported) if (secret !== undefined) app.redactor.reveal(secret);
  return report(app, json, {
    view: imported,
    done: imported.length === 0 ? `${file} holds no webhooks` : imported.map(line).join('\n'),
    next: 'hookctl webhook list',
    isServed,
  });
}

function line({ outcome, webhook, secret }: Imported): string {
  const done = `${outcome} ${webhook.name} (${webhook.webhook_id})`;
  return secret === undefined ? done : `${done}\n${facts([['  secret', secret]])}`;
}

export async function contentOf({ cwd, stdin }: Services, file: string): Promise<string> {
  if (file === '-') return readText(stdin());
  return readFile(resolve(cwd, file), 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${file}: ${messageOf(error)}`);
  });
}

/** Adds the position in the file. A single webhook or a bare list is accepted in place of `{ webhooks: [ … ] }`. */
function placedIn({ value, source }: YamlText): (problem: Diagnostic) => Diagnostic {
  return (problem) => {
    if (problem.file !== 'webhook import') return problem;
    const path = (problem.field ?? '').split('.');
    const isBare = typeof value === 'object' && value !== null && !('webhooks' in value);
    const inFile = isBare ? path.slice(Array.isArray(value) ? 1 : 2) : path;
    return { ...problem, file: source.file, ...source.position({ path: inFile, message: '', atKey: true }) };
  };
}

export const configureRestore: CliCommand = (command, runner) => {
  command
    .description('Restore the last valid copy of the dynamic webhooks when webhooks.json is damaged.')
    .option('--json', 'print one object')
    .examples('hookctl webhook restore')
    .action(runner.action(command, restore));
};

/** Loads no configuration, because the damaged file would not validate. */
async function restore(app: Services, { json }: JsonFlags): Promise<0> {
  const client = await serverClient(app);
  const path = '/api/webhooks/restore';
  const restored: Restored =
    client === null ? await (await app.dynamic()).restore() : await client.call({ method: 'POST', path });
  const { file, webhooks, kept } = restored;
  return report(app, json, {
    view: restored,
    done: `restored ${file}: ${countedNoun(webhooks, 'webhook')}${kept === null ? '' : `\nthe damaged file is now ${kept}`}`,
    next: 'hookctl webhook list',
    isServed: client !== null,
  });
}
