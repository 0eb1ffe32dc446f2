import { describe, expect, test } from 'vitest';
import { providerContract } from '../../src/contract.ts';
import { PROVIDER_NAMES, providerFacts } from '../../src/providers/facts.ts';
import { loadProvider } from '../../src/providers/index.ts';
import { providers } from '../support/providers.ts';

test('every provider is found by its name, and nothing else is', async () => {
  const find = (names: readonly string[]) => Promise.all(names.map(loadProvider));
  expect((await find(PROVIDER_NAMES)).map((provider) => provider?.name)).toEqual(PROVIDER_NAMES);
  expect(await find(['', 'toString', '__proto__', 'GitHub'])).toEqual([null, null, null, null]);
});

describe.each(providers.map((provider) => [provider.name, provider] as const))('%s', (name, provider) => {
  test.each(providerContract(provider).map((check) => [check.name, check] as const))('%s', (_, check) => {
    check.run();
  });

  test('has a webhook of its own name, whose default command is one of its commands', () => {
    const { webhook } = provider;
    if (webhook === null) return;
    expect(webhook.name).toBe(name);
    expect([undefined, ...webhook.commands.map((command) => command.name)]).toContain(webhook.defaultCommand);
  });

  test('has samples, by which it can be tried, of the event types that its facts name', () => {
    expect(provider.samples.length).toBeGreaterThan(0);
    expect(provider.samples.map(({ type }) => type)).toEqual(providerFacts.get(name)?.samples);
  });

  test('has its facts: its label, the secret of its webhook, its account', () => {
    const { label, webhook, reply } = provider;
    const { label: known, secretEnv, account } = providerFacts.get(name) ?? {};
    // Without replies the account is for `connect` alone.
    expect([label, webhook?.secretEnv, reply === undefined ? account : reply.account]).toEqual([
      known,
      secretEnv,
      account,
    ]);
  });

  test('its own settings are right, in each way in which it signs', () => {
    expect(provider.configure?.({}) ?? { ok: true }).toMatchObject({ ok: true });
  });
});
