import type { JsonValue } from '../../types.ts';
import { toDefinition } from './mapping.ts';
import type { DbWebhook } from './schema.ts';

/**
 * Dynamic webhooks as a module with `defineWebhook`: same endpoints, same matches. Secrets go along by the names of
 * their variables and never by value. `taken`: names that the static ones must not get, or they would replace others.
 */
export function exportTypescript(webhooks: readonly DbWebhook[], taken: readonly string[] = []): string {
  const names: string[] = [];
  for (const webhook of webhooks) {
    names.push(freeName(slug(webhook.name) || webhook.webhook_id, [...taken, ...names]));
  }
  const calls = webhooks.map((webhook, index) => defineCall(webhook, names[index] ?? webhook.webhook_id));
  const [only] = calls;
  const exported = calls.length === 1 && only !== undefined ? only : `[\n${calls.join(',\n')},\n]`;
  return [
    '// Exported by `hookctl webhook export --typescript`. To move over: put this file where `static:` in webhooks.yml',
    `// finds it, type \`hookctl webhook remove\` for ${webhooks.map((it) => it.webhook_id).join(', ')}, and restart serve.`,
    ...webhooks.flatMap((webhook, index) => secretNotes(webhook, names[index] ?? '')),
    "import { defineWebhook } from 'hookctl';",
    '',
    `export default ${exported};`,
    '',
  ].join('\n');
}

function defineCall(webhook: DbWebhook, name: string): string {
  const { name: _, provider, endpoint, ...rest } = toDefinition(webhook);
  const definition = { name, provider, endpoint, secretEnv: secretEnvOf(webhook, name), ...rest };
  return `defineWebhook(${literal(definition as unknown as JsonValue, '')})`;
}

/** The variable that holds the secret, or one that may be chosen for it. */
function secretEnvOf({ secrets }: DbWebhook, name: string): string {
  const named = secrets.flatMap((secret) => ('env' in secret ? secret.env : []));
  return (
    named[0] ??
    `${name
      .toUpperCase()
      .replaceAll('-', '_')
      .replace(/^(?=\d)/, '_')}_SECRET`
  );
}

function secretNotes(webhook: DbWebhook, name: string): readonly string[] {
  const { secrets } = webhook;
  const env = secretEnvOf(webhook, name);
  return [
    ...(secrets.some((secret) => 'env' in secret)
      ? []
      : [`// Set ${env} to the secret that the sender of ${name} uses: secrets are not exported.`]),
    ...(secrets.length > 1
      ? [`// ${name} had ${secrets.length} secrets; a static webhook has the one in ${env}.`]
      : []),
  ];
}

/** What a static name may hold. */
function slug(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, MAX_NAME);
}

const MAX_NAME = 60;

function freeName(wanted: string, taken: readonly string[]): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}-${count}`;
    if (!taken.includes(name)) return name;
  }
}

const LINE_WIDTH = 100;

/** JSON as TypeScript: single quotes, bare keys, one line where it fits. */
function literal(value: JsonValue, indent: string): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item: JsonValue) => literal(item, inner))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : `${keyText(key)}: ${literal(item, inner)}`,
      );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  const space = isList ? '' : ' ';
  const short = `${open}${space}${parts.join(', ')}${space}${close}`;
  if (short.length + indent.length <= LINE_WIDTH && !short.includes('\n')) return short;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close}`;
}

/** `__proto__` must stay in brackets: bare or quoted it would set the prototype. */
function keyText(key: string): string {
  if (key === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

/** All that ends a line in some reader, and lone surrogates, as escapes. */
function quote(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}
