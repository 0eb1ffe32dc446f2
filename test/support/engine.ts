import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { actions } from '../../src/actions/index.ts';
import { type Configuration, loadConfiguration } from '../../src/config/index.ts';
import type { DispatchResult } from '../../src/deliveries/context.ts';
import { type Engine, openEngine } from '../../src/deliveries/engine.ts';
import { receive } from '../../src/deliveries/receive.ts';
import { replay, storedSource } from '../../src/deliveries/replay.ts';
import { createIds } from '../../src/lib/ids.ts';
import { createRedactor, secret } from '../../src/lib/redact/redact.ts';
import type { JsonObject, Outgoing } from '../../src/types.ts';
import { eventually } from './eventually.ts';
import { providerNamed } from './providers.ts';

export interface TestEngine extends Engine {
  readonly folder: string;
  readonly configuration: Configuration;
  readonly env: Readonly<Record<string, string>>;
  /** A sample for a webhook or a provider's first one, changed and signed, received and worked off. */
  deliver(
    name: string,
    type: string,
    change?: (payload: JsonObject) => JsonObject,
    text?: string,
  ): Promise<DispatchResult>;
  replay(id: string, replies: boolean): Promise<DispatchResult>;
  /** What a delivery asked to be sent, once none of it waits. */
  sent(deliveryId: string): Promise<readonly Outgoing[]>;
}

export interface TestEngineOptions {
  /** webhooks.yml. */
  readonly yaml?: string;
  /** webhooks.json: dynamic webhooks. */
  readonly db?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Epoch milliseconds; default the machine's clock. */
  readonly now?: () => number;
  readonly insecure?: readonly string[];
  /** Puts something into the project before its configuration is read. */
  readonly prepare?: (folder: string) => void;
}

const SECRETS = {
  GITHUB_WEBHOOK_SECRET: 'a',
  JIRA_WEBHOOK_SECRET: 'b',
  SLACK_SIGNING_SECRET: 'c',
  SENTRY_CLIENT_SECRET: 'd',
  GITLAB_WEBHOOK_SECRET: 'e',
};

/** Store, queue and outbox in a folder of their own, closed when the test ends. */
export async function startEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const { yaml = '', now = Date.now, insecure = [] } = options;
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-engine-')));
  // Claude's list has the name of the project's folder.
  const folder = join(root, 'hookctl');
  const projectFile = join(folder, 'webhooks.yml');
  const dataFolder = join(folder, '.hookctl');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(projectFile, yaml);
  if (options.db !== undefined)
    await writeFile(join(dataFolder, 'webhooks.json'), options.db, { mode: 0o600 });
  options.prepare?.(folder);
  const env = {
    PATH: process.env.PATH ?? '',
    CLAUDE_CONFIG_DIR: join(folder, 'claude'),
    ...SECRETS,
    ...options.env,
  };
  const located = { projectFile, dataFolder };
  const configuration = await loadConfiguration({
    located,
    env,
    actions,
    createMissing: true,
  });
  const ids = createIds(now);
  const engine = await openEngine({
    configuration,
    snapshot: () => configuration.snapshot,
    insecure: new Set(insecure),
    onResult: () => undefined,
    dataFolder,
    projectFolder: folder,
    env,
    home: folder,
    clock: { now },
    ids,
    redact: createRedactor(env).redact,
  });
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= engine.close();
    return closed;
  };
  onTestFinished(async () => {
    await close();
    rmSync(root, { recursive: true, force: true });
  });
  const { context, queue } = engine;

  return {
    ...engine,
    close,
    folder,
    configuration,
    env,
    async deliver(name, type, change = (payload) => payload, text = '@agent analyze') {
      const { webhooks } = context.snapshot();
      const webhook =
        webhooks.find((each) => each.name === name) ?? webhooks.find((each) => each.providerName === name);
      const provider = providerNamed(webhook?.providerName ?? name);
      const sample = provider?.samples.find((each) => each.type === type);
      if (provider === null || webhook === undefined || sample === undefined)
        throw new Error(`no ${name} ${type}`);
      const at = new Date(now());
      const payload = sample.build({ text, now: at, nextNumber: () => randomInt(1, 2 ** 47) });
      const value = webhook.secrets[0]?.value ?? secret('x');
      const body = Buffer.from(JSON.stringify(change(payload)));
      const request = provider.sign(body, { type, secret: value, deliveryId: randomUUID(), now: at });
      const {
        deliveryId: id,
        externalId,
        status,
      } = await receive(context, webhook, { ...request, query: '' });
      if (status !== 'pending') throw new Error(`the delivery is ${status}`);
      const settled = await queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
      if (settled === null) throw new Error('the queue was closed');
      return settled;
    },
    replay: (id, replies) => replay(context, queue, storedSource(context.store, id, folder), replies),
    sent: (deliveryId) =>
      eventually(`what ${deliveryId} sends`, () => {
        const items = context.store.outbox({ deliveryId });
        return items.some(({ status }) => status === 'waiting') ? null : items.toReversed();
      }),
  };
}

/** Puts a webhook on one thread: samples have a new one each time. */
export function onIssue(number: number): (payload: JsonObject) => JsonObject {
  return (payload) => ({ ...payload, issue: { ...(payload.issue as JsonObject), number } });
}
