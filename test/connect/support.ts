import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConnectContext } from '../../src/connect/context.ts';
import type { ConnectOrder } from '../../src/connect/plan.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { createTransport, type Transport } from '../../src/outbox/transport.ts';
import type { Account } from '../../src/types.ts';
import { startEngine, type TestEngine, type TestEngineOptions } from '../support/engine.ts';

export interface TestConnect extends ConnectContext {
  readonly engine: TestEngine;
  /** Where senders reach this machine from now on; null: nowhere. */
  moveTo(url: string | null): void;
  /** Secrets that senders made, by webhook. */
  readonly saved: Map<string, string>;
}

/** What connections are made with: a store of their own, and an account at a loopback sender. */
export async function connectContext(
  provider: string,
  apiUrl: string,
  options: TestEngineOptions & {
    readonly account?: Partial<Account>;
    readonly patienceMs?: number;
    /** The address of the sender, whose requests go to the loopback all the same. */
    readonly site?: string;
  } = {},
): Promise<TestConnect> {
  const engine = await startEngine(options);
  const { context } = engine;
  let publicUrl: string | null = 'https://first.example';
  const account: Account = {
    provider,
    baseUrl: options.site ?? apiUrl,
    token: secret(`token-of-${provider}`),
    user: null,
    privateNetwork: false,
    ...options.account,
  };
  const transport = sentTo(apiUrl, options.site);
  const saved = new Map<string, string>();
  return {
    ...context,
    engine,
    dataFolder: join(engine.folder, '.hookctl'),
    saved,
    accounts: {
      byProvider: new Map([
        [provider, account],
        [`${provider}-config`, account],
      ]),
      missing: new Map(),
      bare: new Map(),
    },
    transport,
    patienceMs: options.patienceMs ?? 10_000,
    publicUrlOf: (endpoint) => (publicUrl === null ? null : publicUrl + endpoint),
    async saveSecret(webhook, made) {
      saved.set(webhook.name, made.reveal());
      return true;
    },
    moveTo(url) {
      publicUrl = url;
    },
  };
}

/** A transport that sends to the loopback what is meant for a site. */
export function sentTo(apiUrl: string, site: string | undefined): Transport {
  const { send, close } = createTransport();
  onTestFinished(close);
  const at = (url: string) =>
    site !== undefined && url.startsWith(site) ? apiUrl + url.slice(site.length) : url;
  return { send: (request) => send({ ...request, url: at(request.url) }), close };
}

export function order(connector: string, target: string, changes: Partial<ConnectOrder> = {}): ConnectOrder {
  return {
    connector,
    target,
    isOrganisation: false,
    webhook: null,
    adopt: null,
    isDryRun: false,
    ...changes,
  };
}
