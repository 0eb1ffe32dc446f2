import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import { createRedactor, secret } from '../../src/lib/redact/redact.ts';
import { createTransport, type TransportOptions } from '../../src/outbox/transport.ts';
import { createOutbox, type Outbox, type OutboxOptions, type Timing } from '../../src/outbox/worker.ts';
import { openStore } from '../../src/store/local/index.ts';
import type { Store } from '../../src/store/store.ts';
import type { Account, NewOutgoing, Outgoing, ThreadRef } from '../../src/types.ts';
import { freshStore, newDelivery, outcome } from '../store/fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { type ProviderApis, startProviderApis } from '../support/provider-apis.ts';
import { providerNamed } from '../support/providers.ts';

export const PLACES: Readonly<Record<string, ThreadRef>> = {
  github: { host: null, owner: 'octo', repo: 'repo', number: '1', comment: '7', commentKind: 'issues' },
  jira: { host: null, issue: 'PROJ-1' },
  slack: { host: null, channel: 'C1', thread: '1.0', message: '1.0', user: 'U1', responseUrl: null },
  sentry: { host: null, issue: '42' },
  gitlab: { host: null, project: '5', kind: 'issues', number: '3', note: null },
  gitea: { host: null, owner: 'acme', repo: 'web', number: '1', comment: '7' },
  bitbucket: { host: null, workspace: 'acme', repo: 'web', kind: 'pullrequests', number: '1' },
  linear: { host: null, issue: 'issue-1', comment: 'comment-1', thread: 'comment-1' },
  discord: { host: null, application: '845', token: 'interaction-1' },
  pagerduty: { host: null, incident: 'P1' },
  telegram: { host: null, chat: '-100123', message: '7' },
  zendesk: { host: null, ticket: '5' },
  teams: { host: null, conversation: '19:abc@thread.tacv2;messageid=1' },
};

const HURRY: Timing = { baseMs: 10, capMs: 40, settleMs: 20, openMs: 60 };
export const ids = createIds(() => Date.now());

export function account(provider: string, base: string, changes: Partial<Account> = {}): Account {
  const baseUrl = provider === 'slack' ? `${base}/api` : base;
  return {
    provider,
    baseUrl,
    token: secret(
      provider === 'teams'
        ? `${base}/workflows/w1/triggers/manual/paths/invoke?sig=secret-of-teams`
        : `token-of-${provider}`,
    ),
    user: null,
    privateNetwork: false,
    ...changes,
  };
}

export function comment(
  provider: string,
  content = 'Done.',
  changes: Partial<NewOutgoing> = {},
): NewOutgoing {
  return {
    id: ids.next('out'),
    kind: 'comment',
    place: PLACES[provider] ?? { host: null },
    content,
    edits: null,
    privateNetwork: false,
    ...changes,
  };
}

/** Records what a delivery asks to be sent, as its settlement does. */
export async function record(
  store: Store,
  provider: string,
  ...outgoing: readonly NewOutgoing[]
): Promise<string> {
  const id = ids.next('dlv');
  await store.accept(newDelivery(id, { provider, receivedAt: Date.now(), headers: { 'x-signed': 'yes' } }));
  await store.recordOutcome(outcome(id, { outgoing, settledAt: Date.now() }));
  return id;
}

export interface Bench {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly settled: Outgoing[];
  /** Resolves when an item no longer waits. */
  end(item: Pick<NewOutgoing, 'id'>): Promise<Outgoing>;
}

export interface BenchOptions extends TransportOptions {
  readonly accountOf: OutboxOptions['accountOf'];
  readonly store?: Store;
  readonly timing?: Timing;
  readonly now?: () => number;
  readonly steady?: () => number;
}

/** A worker on a real store and real connections, in a hurry. */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const { accountOf, timing = HURRY, now = Date.now, steady, deadlineMs = 300, resolve } = options;
  const store = options.store ?? (await freshStore());
  const settled: Outgoing[] = [];
  const outbox = createOutbox({
    store,
    now,
    ...(steady !== undefined && { steady }),
    accountOf,
    timing,
    random: Math.random,
    userAgent: 'hookctl/test',
    redact: createRedactor({}).redact,
    channelOf: async (provider) => providerNamed(provider)?.reply ?? null,
    transport: createTransport({ deadlineMs, ...(resolve !== undefined && { resolve }) }),
    onSettled: (item) => void settled.push(item),
  });
  onTestFinished(() => outbox.close());
  return {
    store,
    outbox,
    settled,
    end({ id }) {
      outbox.wake();
      return eventually(`${id} to be sent or given up`, () => {
        const item = store.outgoing(id);
        return item?.status === 'waiting' ? null : item;
      });
    },
  };
}

/** One store for all tests of a file: opening one takes longer than most of them. */
export function storeForFile(): () => Store {
  let store: Store | null = null;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hookctl-outbox-'));
    store = await openStore({ path: join(folder, 'hookctl.db') });
  });
  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => store as Store;
}

/** The providers' APIs, for all tests of a file. */
export function apisForFile(): () => ProviderApis {
  let apis: ProviderApis | null = null;
  beforeAll(async () => {
    apis = await startProviderApis();
  });
  afterAll(() => apis?.close());
  return () => apis as ProviderApis;
}
