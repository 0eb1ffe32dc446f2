import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** What a user reads. */
export const PAGES = [
  ...['README.md', 'SECURITY.md', 'UPGRADING.md'],
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

export const pages: ReadonlyMap<string, string> = new Map(
  PAGES.map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]),
);

export interface Block {
  readonly page: string;
  readonly line: number;
  /** What is behind the fence: `sh`, `yaml`, `yaml compose.yaml`; empty for output. */
  readonly language: string;
  readonly text: string;
}

export function blocksOf(page: string): readonly Block[] {
  const text = pages.get(page) ?? '';
  return [...text.matchAll(/^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm)].map((found) => ({
    page,
    line: text.slice(0, found.index).split('\n').length + 1,
    language: found[2] ?? '',
    text: (found[3] ?? '').replaceAll(new RegExp(`^${found[1]}`, 'gm'), ''),
  }));
}

/** The command lines of a shell block: lines that go on are joined, comments and empty lines left out. */
export function linesOf(text: string): readonly string[] {
  return text
    .replace(/ *\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)#\s.*$/, '').trim())
    .filter((line) => line !== '');
}
