import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { resolveSecret } from '../../src/config/secrets.ts';
import { folderWith, load } from './support.ts';

const umask = process.umask();
afterEach(() => process.umask(umask));

const NAMED = { webhook: 'own', secretEnv: 'OWN_SECRET', optional: false };

test('the value of the named variable is taken exactly as it is', async () => {
  const places = { env: { OWN_SECRET: ' with spaces ' }, dataFolder: folderWith(), createMissing: true };
  const { secrets, secretSource } = await resolveSecret(NAMED, places);
  expect(secrets.map(({ value, expiresAt }) => [value.reveal(), expiresAt])).toEqual([
    [' with spaces ', null],
  ]);
  expect(secretSource).toBe('OWN_SECRET');
});

test('a named variable that is unset or empty gives no secret at all, and says so', async () => {
  const places = { dataFolder: folderWith(), createMissing: true };
  const unset = await resolveSecret(NAMED, { ...places, env: {} });
  expect(unset).toEqual({ secrets: [], secretSource: 'OWN_SECRET is not set' });
  const empty = await resolveSecret(NAMED, { ...places, env: { OWN_SECRET: '' } });
  expect(empty).toEqual({ secrets: [], secretSource: 'OWN_SECRET is empty' });
});

test('a secret is generated once, for its user alone, whatever the umask', async () => {
  process.umask(0);
  const dataFolder = folderWith();
  const request = { webhook: 'own', secretEnv: null, optional: false };
  const places = { env: {}, dataFolder, createMissing: true };
  const both = await Promise.all([resolveSecret(request, places), resolveSecret(request, places)]);
  const again = await resolveSecret(request, { ...places, createMissing: false });
  const values = [...both, again].map(({ secrets }) => secrets[0]?.value.reveal());
  expect(values[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(values).size).toBe(1);
  expect(again.secretSource).toBe('generated');
  expect(readdirSync(join(dataFolder, 'secrets'))).toEqual(['own']);
  expect(statSync(join(dataFolder, 'secrets')).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataFolder, 'secrets/own')).mode & 0o777).toBe(0o600);
});

test('a command that only looks generates nothing', async () => {
  const dataFolder = folderWith();
  const request = { webhook: 'own', secretEnv: null, optional: false };
  const found = await resolveSecret(request, { env: {}, dataFolder, createMissing: false });
  expect(found).toEqual({ secrets: [], secretSource: 'not generated yet' });
  expect(readdirSync(dataFolder)).toEqual([]);
});

test('an emptied secret file is refused, because anybody could sign with an empty key', async () => {
  const dataFolder = folderWith({ 'secrets/own': '' });
  const request = { webhook: 'own', secretEnv: null, optional: false };
  await expect(resolveSecret(request, { env: {}, dataFolder, createMissing: true })).rejects.toThrow(
    'the file of the generated secret is empty\n  Remove it',
  );
});

test('a built-in webhook takes its customary variable, else a generated secret', async () => {
  const folder = folderWith({ 'webhooks.yml': '' });
  const withVariable = await load(folder, { env: { GITHUB_WEBHOOK_SECRET: 's' } });
  expect(withVariable.snapshot.byName.get('github')?.secretSource).toBe('GITHUB_WEBHOOK_SECRET');
  const without = await load(folder, { createMissing: true });
  expect(without.snapshot.byName.get('github')?.secretSource).toBe('generated');
  expect(without.notices).toEqual([]);
  const file = join(folder, '.hookctl/secrets/github');
  expect(without.snapshot.byName.get('github')?.secrets[0]?.value.reveal()).toBe(readFileSync(file, 'utf8'));
});

test('a variable that webhooks.yml names is the only one that counts', async () => {
  const folder = folderWith({ 'webhooks.yml': 'webhooks: { github: { secretEnv: MINE } }\n' });
  const env = { GITHUB_WEBHOOK_SECRET: 'other' };
  const { snapshot, notices } = await load(folder, { env, createMissing: true });
  expect(snapshot.byName.get('github')?.secrets).toEqual([]);
  expect(notices).toEqual([
    'webhook github: MINE is not set, so every delivery to /webhooks/github is refused (401). ' +
      'Set MINE, or remove secretEnv to use a generated secret.',
  ]);
  writeFileSync(join(folder, 'webhooks.yml'), 'webhooks: { github: { secretEnv: MINE, enabled: false } }\n');
  expect((await load(folder, { env })).notices).toEqual([]);
});
