import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openRotatingFile } from '../../src/lib/rotating-file.ts';

function logIn(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'serve.log');
}

test('a log keeps its newest parts, whole lines each, and never more than it may', () => {
  const path = logIn();
  const file = openRotatingFile(path, { maxBytes: 1_000, keep: 2 });
  onTestFinished(() => file.close());
  for (let number = 0; number < 500; number += 1) file.write(`line ${number}\n`);
  const folder = join(path, '..');
  expect(readdirSync(folder).sort()).toEqual(['serve.log', 'serve.log.1', 'serve.log.2']);
  const text = ['.2', '.1', ''].map((end) => readFileSync(path + end, 'utf8')).join('');
  const lines = text.trimEnd().split('\n');
  expect(lines).toEqual(lines.map((_, index) => `line ${500 - lines.length + index}`));
  for (const name of readdirSync(folder)) {
    const { size, mode } = statSync(join(folder, name));
    expect(size).toBeLessThanOrEqual(1_000);
    expect(mode & 0o777).toBe(0o600);
  }
});

test('a log that was there is gone on with, and becomes private', () => {
  const path = logIn();
  writeFileSync(path, 'before\n', { mode: 0o644 });
  const file = openRotatingFile(path, { maxBytes: 20, keep: 1 });
  onTestFinished(() => file.close());
  file.write('after\n');
  expect(readFileSync(path, 'utf8')).toBe('before\nafter\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  file.write('a line that is longer than the file may be\n');
  expect(readFileSync(path, 'utf8')).toBe('a line that is longer than the file may be\n');
});
