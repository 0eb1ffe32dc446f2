import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { type Imported, importWebhooks } from '../../config/dynamic/edit.ts';
import { readYaml, type YamlText } from '../../config/yaml.ts';
import { ConfigError, type Diagnostic, messageOf, usageError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { countedNoun, facts } from '../kit/print.ts';
import { changeDb, dynamicWebhook, inForce, report } from './change.ts';
import { viewer } from './view.ts';

export const configureImport: CliCommand = (command, runner) => {
  command
    .description('Import webhooks from an export; one with a known id replaces the present one.')
    .argument('<file>', 'JSON or YAML, as `webhook export` writes it; - reads stdin')
    .option('--json', 'print an array of { outcome, webhook }')
    .examples('hookctl webhook import webhooks.yml', 'hookctl webhook import - < export.json')
    .action(runner.action(command, run));
};

async function run(app: Services, file: string, { json }: JsonFlags): Promise<0> {
  // JSON is valid YAML, so one reader gives positions for both.
  const text = readYaml(file, await contentOf(app, file));
  if (text.problems.length > 0) throw new ConfigError(text.problems);
  const change = importWebhooks(text.value);
  const changed = await changeDb(app, change).catch((error: unknown) => {
    throw error instanceof ConfigError ? new ConfigError(error.problems.map(placedIn(text))) : error;
  });
  for (const { generatedSecret } of changed.result) {
    if (generatedSecret !== null) app.redactor.reveal(generatedSecret);
  }
  const view = viewer(app, changed);
  return report(app, json, {
    view: changed.result.map((entry) => ({
      outcome: entry.outcome,
      webhook: view(dynamicWebhook(changed, entry.webhook.webhook_id)),
      ...(entry.generatedSecret !== null && { secret: entry.generatedSecret }),
    })),
    done: changed.result.length === 0 ? `${file} holds no webhooks` : changed.result.map(line).join('\n'),
    next: 'hookctl webhook list',
    served: changed.served,
  });
}

function line({ outcome, webhook, generatedSecret }: Imported): string {
  const done = `${outcome} ${webhook.name} (${webhook.webhook_id})`;
  return generatedSecret === null ? done : `${done}\n${facts([['  secret', generatedSecret]])}`;
}

async function contentOf({ cwd, stdin }: Services, file: string): Promise<string> {
  if (file === '-') return readText(stdin);
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
  const db = await app.dynamic();
  const { webhooks, kept, revision } = await db.restore();
  const served = await inForce(app, revision);
  return report(app, json, {
    view: { file: db.file, webhooks, kept, revision },
    done: `restored ${db.file}: ${countedNoun(webhooks, 'webhook')}${kept === null ? '' : `\nthe damaged file is now ${kept}`}`,
    next: 'hookctl webhook list',
    served,
  });
}
