import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { actions } from '../../../src/actions/index.ts';
import { addWebhook } from '../../../src/config/dynamic/edit.ts';
import { type DynamicWebhooks, openDynamic } from '../../../src/config/dynamic/index.ts';
import type { DbWebhook } from '../../../src/config/dynamic/schema.ts';
import { type Configuration, loadConfiguration, loadFixed } from '../../../src/config/index.ts';
import { ConfigError, type Diagnostic, HookctlError } from '../../../src/errors.ts';
import { createIds } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/time.ts';
import { webhookViewer } from '../../../src/server/webhook-view.ts';
import { lockFile } from '../../../src/store/local/lock.ts';
import type { Webhook } from '../../../src/types.ts';

const KNOWN = { actions };

/** A project without webhooks.yml and its data folder. */
export interface Place {
  readonly dataFolder: string;
  readonly file: string;
  readonly dynamic: DynamicWebhooks;
  configuration(env?: Readonly<Record<string, string>>): Promise<Configuration>;
  /** `webhooks.json` as it lies there. */
  text(): string;
}

export function placeIn(
  folder: string,
  projectFile: string | null = null,
  dataFolder = join(folder, '.hookctl'),
): Place {
  mkdirSync(dataFolder, { recursive: true });
  const file = join(dataFolder, 'webhooks.json');
  const options = {
    ...KNOWN,
    located: { projectFile, dataFolder },
    env: {},
    createMissing: true,
    runModules: true,
  };
  return {
    dataFolder,
    file,
    dynamic: openDynamic({
      ...KNOWN,
      dataFolder,
      lock: lockFile,
      clock: systemClock,
      ids: createIds(systemClock.now),
      record: async () => undefined,
      fixed: async () => (await loadFixed(options)).fixed,
    }),
    configuration: (env = {}) => loadConfiguration({ ...options, env }),
    text: () => readFileSync(file, 'utf8'),
  };
}

/** A webhook as it would stand in the db. */
export function record(number: number, fields: Partial<DbWebhook> = {}): DbWebhook {
  const webhook_id = `wh-${String(number).padStart(16, '0')}`;
  return {
    webhook_id,
    provider: 'github',
    name: `Webhook ${number}`,
    endpoint: `/webhooks/github/${webhook_id}`,
    secrets: [{ value: `secret-of-${number}` }],
    enabled: true,
    commands: [{ id: 'cmd-1', trigger: 'issues.opened', template: `New in ${number}: {{issue.title}}` }],
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    ...fields,
  };
}

export function dbText(webhooks: readonly DbWebhook[]): string {
  return `${JSON.stringify({ schema_version: 1, webhooks }, null, 2)}\n`;
}

/** What a promise was refused with. */
export async function refusal(promise: Promise<unknown>): Promise<HookctlError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof HookctlError) return error;
  throw new Error(`expected a HookctlError, got ${error}`);
}

/** The problems that a promise was refused with. */
export async function problemsOf(promise: Promise<unknown>): Promise<readonly Diagnostic[]> {
  const error = await refusal(promise);
  if (error instanceof ConfigError) return error.problems;
  throw error;
}

/** A change that adds a copy of a webhook as the API shows it, which is how the CLI copies one. */
export function copyOf(webhook: Webhook, name: string) {
  const view = webhookViewer({ counts: [], urlOf: (endpoint) => endpoint, recordOf: () => undefined });
  return addWebhook({ ...view(webhook), name });
}
