import { describe, expect, test } from 'vitest';
import { providerContract } from '../../src/contract.ts';
import { providerNamed, providers } from '../../src/providers/index.ts';

test('every provider is found by its name, and nothing else is', () => {
  expect(providers.map(({ name }) => providerNamed(name))).toEqual(providers);
  expect(['', 'toString', '__proto__', 'GitHub'].map(providerNamed)).toEqual([null, null, null, null]);
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

  test('has samples, by which it can be tried', () => {
    expect(provider.samples.length).toBeGreaterThan(0);
  });
});
