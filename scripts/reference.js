// Writes docs/reference.md from the schemas and the commands: `node scripts/reference.js`; with `--check` it fails where the page is
// out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { actions } from '../src/actions/index.ts';
import { everyCommand } from '../src/cli/completion/tree.ts';
import { main } from '../src/cli.ts';
import { projectJsonSchema } from '../src/config/project/schema.ts';
import { processHost } from '../src/process-host.ts';
import { managementApi } from '../src/server/api/app.ts';

const page = fileURLToPath(new URL('../docs/reference.md', import.meta.url));
const cell = (text) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const code = (text) => (text === '' ? '' : `\`${cell(text)}\``);

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A JSON Schema's type in a few words. */
function typeOf(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  const several = schema.anyOf ?? schema.oneOf;
  if (several !== undefined) return [...new Set(several.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  return [schema.type ?? 'any'].flat().join(' or ');
}

/** `path`, its type, default and description; then those below it. */
function fields(schema, path, depth) {
  const rows = [];
  for (const [name, each] of Object.entries(schema.properties ?? {}))
    rows.push(...field(each, path === '' ? name : `${path}.${name}`, depth));
  const others = schema.additionalProperties;
  if (typeof others === 'object' && Object.keys(others).length > 0)
    rows.push(...field(others, `${path}.<name>`, depth));
  for (const variant of schema.oneOf ?? schema.anyOf ?? []) {
    const use = variant.properties?.use?.const;
    if (variant.type === 'object')
      rows.push(...fields(variant, use === undefined ? path : `${path}(${use})`, depth));
    else if (variant.type === 'array') rows.push(...fields(variant.items ?? {}, `${path}[]`, depth));
  }
  if (schema.type === 'array') rows.push(...fields(schema.items ?? {}, `${path}[]`, depth));
  return rows;
}

function field(schema, path, depth) {
  const value = schema.default === undefined ? '' : code(JSON.stringify(schema.default));
  const shown = typeof schema.default === 'object' ? '' : value;
  const row = [code(path), cell(typeOf(schema)), shown, cell(schema.description ?? '')];
  return depth === 0 ? [row] : [row, ...fields(schema, path, depth - 1)];
}

/** As `hookctl completion json` prints it. */
async function commandTree() {
  const texts = [];
  const out = { isTerminal: false, color: false, write: (text) => void texts.push(text) };
  const host = processHost();
  await main(['completion', 'json'], { ...host, io: { ...host.io, out } });
  return JSON.parse(texts.join(''));
}

/** In place of the parts of a server, of which only the names of the routes are wanted. */
function anything() {
  const part = new Proxy(() => undefined, { get: () => part, apply: () => part });
  return part;
}

async function reference() {
  const tree = await commandTree();
  const settings = fields(projectJsonSchema(), '', 4);
  const commands = everyCommand(tree).filter(
    ({ subcommands, path }) => path !== '' && subcommands.length === 0,
  );
  const ofActions = actions.map((action) => {
    const rows = fields(z.toJSONSchema(action.options, { io: 'input', unrepresentable: 'any' }), '', 2);
    return `### ${action.name}\n\n${rows.length === 0 ? 'No options.' : table(['option', 'type', 'default', ''], rows)}`;
  });
  const parts = ['context', 'record', 'onError', 'served', 'connect', 'locked'];
  const routes = managementApi(Object.fromEntries(parts.map((name) => [name, anything()]))).routes;
  const named = [
    ...new Set(
      routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
    ),
  ];
  return `# Reference

Made by \`node scripts/reference.js\` from the schemas and the commands; a test compares. The same is in \`hookctl <command> --help\` and
\`hookctl schema\`.

## Settings of webhooks.yml

${table(['setting', 'type', 'default', ''], settings)}

## Actions

A command of a webhook names its action in \`action\`, and its options in \`options\`.

${ofActions.join('\n\n')}

## Commands

Every command takes \`--config <file>\`, \`--verbose\` and \`--help\`.

${commands
  .map(({ path, summary, options }) =>
    `### hookctl ${path}\n\n${summary}.\n\n${table(
      ['option', ''],
      options
        .filter(({ flag }) => flag !== '--help')
        .map(({ flag, kind, summary: what }) => [code(kind === null ? flag : `${flag} <value>`), cell(what)]),
    )}`.replace(/\n\n\| option \|[^\n]*\n\| --- \| --- \|$/, ''),
  )
  .join('\n\n')}

## Management API

On the management port (and \`management.socket\`), with \`Authorization: Bearer <hookctl token>\`. \`hookctl api <method> <path>\` asks it.

${named.map((route) => `- \`${route}\``).join('\n')}
`;
}

const text = await reference();
if (process.argv.includes('--check')) {
  const known = readFileSync(page, 'utf8');
  if (known !== text) {
    process.stderr.write('docs/reference.md is out of date: node scripts/reference.js\n');
    process.exitCode = 1;
  }
} else writeFileSync(page, text);
