import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { CompletedCommand } from '../../src/cli/completion/tree.ts';
import { readProject } from '../../src/config/project/schema.ts';
import { blocksOf, PAGES, pages } from '../support/docs.ts';
import { tell } from '../support/in-process.ts';
import { sandboxForFile, sandboxForTest } from '../support/sandbox.ts';

const ROOT = join(import.meta.dirname, '../..');
let program: CompletedCommand;
beforeAll(async () => {
  const { stdout } = await tell(await sandboxForFile(), 'completion', 'json');
  program = JSON.parse(stdout);
});

/** The command lines of hookctl in a shell text, as words. */
function commandsIn(text: string): readonly (readonly string[])[] {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) =>
    [
      ...line.matchAll(/(?:^\s*|[`($]|&& |\| )hookctl ((?:'[^']*'|"[^"]*"|[^#|;&)`>]|(?<=\S)[#>](?=\S))*)/g),
    ].map(([, rest = '']) => [...rest.matchAll(/(?:'[^']*'|"[^"]*"|\S)+/g)].map(([word]) => word)),
  );
}

const OF_ALL = { short: null, summary: '' };
const GLOBAL: CompletedCommand['options'] = [
  { ...OF_ALL, flag: '--config', kind: 'file' },
  { ...OF_ALL, flag: '--verbose', kind: null },
];

/** What is wrong with a command line; null when hookctl would take it. Placeholders (`<id>`, `…`) pass. */
function mistakeIn(words: readonly string[]): string | null {
  let command = program;
  let options = [...program.options, ...GLOBAL];
  const given: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--') return null;
    if (/^-{1,2}[a-zA-Z]/.test(word)) {
      const [name = ''] = word.split('=');
      const option = options.find(({ flag, short }) => flag === name || short === name);
      if (option === undefined) return `${command.path} has no option ${name}`;
      if (option.kind !== null && !word.includes('=') && !words[index + 1]?.startsWith('-')) index += 1;
      continue;
    }
    const path = `${command.path} ${word}`.trim();
    const sub = given.length > 0 ? undefined : command.subcommands.find((each) => each.path === path);
    if (sub === undefined) given.push(word);
    else {
      command = sub;
      options = [...options, ...sub.options];
    }
  }
  const { args, subcommands, repeats } = command;
  if (given.some((word) => /^[<[…]|\.\.\.|…$|\|/.test(word))) return null;
  if (given[0] === 'help') return null;
  if (subcommands.length > 0 && args.length === 0 && given.length > 0)
    return `there is no command ${command.path} ${given[0]}`;
  if (given.length > args.length && !repeats)
    return `${command.path} takes ${args.length} arguments, not ${given.join(' ')}`;
  return null;
}

test('docs: hookctl takes every command line that they show', () => {
  const wrong: string[] = [];
  let count = 0;
  for (const page of PAGES) {
    const text = pages.get(page) ?? '';
    const blocks = blocksOf(page).filter(({ language }) => language.startsWith('sh'));
    const spans = [...text.matchAll(/`(hookctl [a-z][^`\n]*)`/g)].map(([, span = '']) => span);
    for (const source of [...blocks.map((block) => block.text), ...spans]) {
      for (const words of commandsIn(source)) {
        count += 1;
        const mistake = mistakeIn(words);
        if (mistake !== null) wrong.push(`${page}: hookctl ${words.join(' ')}: ${mistake}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(150);
});

test('docs: a command line with a mistake would be found', () => {
  expect(mistakeIn(['webhook', 'add', 'github', '--nmae', 'x'])).toContain('no option --nmae');
  expect(mistakeIn(['tasks', 'list'])).toContain('there is no command');
  expect(mistakeIn(['task', 'list', 'all'])).toContain('takes 0 arguments');
});

test('docs: every block of webhooks.yml is valid', async () => {
  const sandbox = await sandboxForTest();
  const wrong: string[] = [];
  const blocks = PAGES.flatMap(blocksOf).filter(({ language }) => language === 'yaml');
  for (const { page, line, text } of blocks) {
    const file = join(sandbox.project, 'webhooks.yml');
    writeFileSync(file, text);
    const { problems } = await readProject(file);
    for (const { field, message } of problems) wrong.push(`${page}:${line} ${field ?? ''}: ${message}`);
  }
  expect(wrong).toEqual([]);
  expect(blocks.length).toBeGreaterThan(10);
});

test('docs: every block of JSON is JSON', () => {
  const blocks = PAGES.flatMap(blocksOf).filter(({ language }) => /^json\b/.test(language));
  for (const { text, page, line } of blocks) expect(() => JSON.parse(text), `${page}:${line}`).not.toThrow();
});

test('docs: every link and picture of the repository is there, headings too', () => {
  const headingsOf = (path: string) =>
    [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  const dead: string[] = [];
  for (const [page, text] of pages) {
    const withoutCode = text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
    const links = [...withoutCode.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)];
    for (const link of links.map(([, first, second]) => first ?? second ?? '')) {
      if (/^(https?|mailto):/.test(link)) continue;
      const [path = '', heading] = link.split('#');
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (!existsSync(file) || (heading !== undefined && !headingsOf(file).includes(heading)))
        dead.push(`${page}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

test('docs: hookctl takes every command line of the recorded terminal', () => {
  const recorded = readFileSync(join(ROOT, 'docs/images/terminal.svg'), 'utf8');
  const typed = [...recorded.matchAll(/>\$ (hookctl [^<]+)</g)].map(([, line = '']) => line);
  expect(typed.length).toBeGreaterThan(3);
  for (const words of typed.flatMap(commandsIn)) expect(mistakeIn(words), words.join(' ')).toBeNull();
});

test('docs: the reference is as the schemas and commands have it', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/reference.js', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
}, 60_000);
