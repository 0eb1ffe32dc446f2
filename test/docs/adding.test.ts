import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/adding.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly path: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...PAGE.matchAll(/^```(ts|json|diff) (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', path = '', text = '']) => ({ language, path, text }),
);

/** Applies the lines of a block: ` ` finds a line, `-` removes one, `+` adds one behind the last. Throws where a line is missing. */
function applied(file: string, { path, text }: Block): string {
  const lines = file.split('\n');
  let at = 0;
  for (const line of text.trimEnd().split('\n')) {
    const [mark, rest] = [line[0] ?? ' ', line.slice(1)];
    if (mark === '+') {
      lines.splice(at, 0, rest);
      at += 1;
      continue;
    }
    const found = lines.findIndex((each, index) => index >= at && each.trim() === rest.trim());
    if (found < 0) throw new Error(`${path} has no line "${rest}"`);
    if (mark === '-') lines.splice(found, 1);
    at = mark === '-' ? found : found + 1;
  }
  return lines.join('\n');
}

test('docs/adding.md: its five examples compile in a copy of src/', () => {
  expect(blocks.filter(({ language }) => language === 'ts')).toHaveLength(5);
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-adding-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  writeFileSync(join(folder, 'package.json'), readFileSync(join(ROOT, 'package.json')));
  for (const block of blocks) {
    const file = join(folder, block.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, block.language === 'diff' ? applied(readFileSync(file, 'utf8'), block) : block.text);
  }
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
});
