import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openRotatingFile } from '../../src/lib/files/rotating-file.ts';
import { eventually } from '../support/eventually.ts';

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

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['put aside by another program', (path: string) => renameSync(path, `${path}-old`)],
  [
    'replaced by another file',
    (path: string) => {
      writeFileSync(`${path}-new`, '');
      renameSync(`${path}-new`, path);
    },
  ],
])('F3: a log that was %s is started anew', (_, change) => {
  const path = logIn();
  const file = openRotatingFile(path);
  onTestFinished(() => file.close());
  file.write('before\n');
  change(path);
  file.write('after\n');
  expect(readFileSync(path, 'utf8')).toBe('after\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('F3: a log whose folder is gone says so once, leaves other files alone, and goes on when it is back', async () => {
  const path = join(logIn(), '..', 'logs', 'serve.log');
  mkdirSync(join(path, '..'));
  const said: unknown[] = [];
  const file = openRotatingFile(path, { maxBytes: 20, failed: (error) => said.push(error) });
  onTestFinished(() => file.close());
  file.write('a line of 20 bytes.\n');
  rmSync(join(path, '..'), { recursive: true });
  const others: number[] = [];
  for (let number = 0; number < 5; number += 1) {
    file.write(`${number}\n`);
    others.push(openSync(join(path, '..', '..', `other-${number}`), 'w'));
  }
  for (const other of others) closeSync(other);
  mkdirSync(join(path, '..'));
  await eventually(
    'the lines that waited',
    () => existsSync(path) && readFileSync(path, 'utf8') === '0\n1\n2\n3\n4\n',
  );
  expect(said).toHaveLength(1);
});
