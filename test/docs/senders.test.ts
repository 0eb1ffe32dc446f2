import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PRESETS } from '../../src/providers/presets/list.ts';
import { providerNamed } from '../support/providers.ts';

test('docs/senders.md shows the presets of today', () => {
  const script = fileURLToPath(new URL('../../scripts/senders.js', import.meta.url));
  const check = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(check.stderr).toBe('');
  expect(check.status).toBe(0);
});

test('presets: their settings have no mistake, also below options of a webhook', () => {
  for (const name of Object.keys(PRESETS)) {
    const configured = providerNamed(name)?.configure?.({ title: 'a.b' });
    expect(configured, name).toMatchObject({ ok: true });
  }
});
