import { snakeCased } from '../../lib/case.ts';
import { loadProviders } from '../../providers/index.ts';
import type { Issue, Provider, Webhook } from '../../types.ts';
import { type Known, type Resolution, resolveWebhook, type WebhookWithoutSecrets } from '../resolve.ts';
import type { CommandSettings } from '../resolve-commands.ts';
import { commandSchema, definitionSchema } from '../schema.ts';
import { endpointFor } from './change.ts';
import { toDefinition } from './mapping.ts';
import type { DbState, DbWebhook } from './schema.ts';

/** A webhook of the db that is right. */
export interface DbEntry {
  readonly written: DbWebhook;
  /** The same as text, by which changes are found. */
  readonly text: string;
  readonly webhook: WebhookWithoutSecrets;
}

/** What the webhooks of the db mean. With issues, `entries` are those without any. */
export interface ResolvedDb {
  readonly entries: readonly DbEntry[];
  /** Paths start at the whole file. */
  readonly issues: readonly Issue[];
}

export type Resolver = (state: DbState) => Promise<ResolvedDb>;

/** What a text came to. */
interface Resolved {
  readonly written: DbWebhook;
  readonly text: string;
  readonly resolution: Resolution;
}

/**
 * Checks all that the schema cannot see, by the rules of static webhooks; `own`: the project's own providers. What was compiled for the last state is
 * kept for the next one, so that a reload costs what changed and not what is there: a webhook that did not change is
 * the same object.
 */
export function createResolver(settings: CommandSettings, own: () => readonly Provider[]): Resolver {
  let former: ReadonlyMap<string, Resolved> = new Map();
  return async ({ webhooks }) => {
    const builtIn = await loadProviders(webhooks.map(({ provider }) => provider));
    const context: Known = { ...settings, providers: [...builtIn, ...own()] };
    const resolved = await Promise.all(
      webhooks.map(async (written): Promise<Resolved> => {
        const text = JSON.stringify(written);
        return former.get(text) ?? { written, text, resolution: await resolveOne(written, context) };
      }),
    );
    former = new Map(resolved.map((each) => [each.text, each]));
    const results = resolved.map((each, index) => ({ ...each, index }));
    return {
      entries: results.flatMap(({ written, text, resolution }) =>
        resolution.ok ? { written, text, webhook: resolution.webhook } : [],
      ),
      issues: [
        ...results.flatMap(({ index, resolution }) =>
          resolution.ok ? [] : resolution.issues.map((issue) => below(index, inDbWords(issue))),
        ),
        ...webhooks.flatMap((webhook, index) => identityIssues(webhook).map((issue) => below(index, issue))),
        ...doublesIn(webhooks),
      ],
    };
  };
}

/** Names and endpoints that are taken by static or built-in webhooks. Paths start at the whole file. */
export function clashesWith(fixed: readonly Webhook[], { webhooks }: DbState): readonly Issue[] {
  const names = new Map(fixed.map((it) => [it.name.toLowerCase(), it]));
  const endpoints = new Map(fixed.map((it) => [it.endpoint, it]));
  return webhooks.flatMap(({ name, endpoint }, index) => {
    const sameName = names.get(name.toLowerCase());
    const sameEndpoint = endpoints.get(endpoint);
    return [
      ...(sameName === undefined ? [] : [taken(index, 'name', name, sameName)]),
      ...(sameEndpoint === undefined ? [] : [taken(index, 'endpoint', endpoint, sameEndpoint)]),
    ];
  });
}

function taken(index: number, field: string, value: string, { name, origin }: Webhook): Issue {
  const place =
    origin.kind === 'static'
      ? `${origin.file}${origin.line === null ? '' : `:${origin.line}`}`
      : `the built-in webhook ${name}`;
  return {
    path: ['webhooks', index, field],
    message: `${value} is already taken by ${place}`,
    fix: `Change it there, or rename or remove this one: hookctl webhook edit, hookctl webhook remove.`,
  };
}

async function resolveOne(written: DbWebhook, known: Known): Promise<Resolution> {
  const origin = { kind: 'dynamic', webhookId: written.webhook_id } as const;
  const resolution = await resolveWebhook(toDefinition(written), origin, known);
  if (!resolution.ok) return resolution;
  // All commands are right, so their order is the one in which they were written.
  const commands = resolution.webhook.commands.map((command, index) => ({
    ...command,
    id: written.commands[index]?.id ?? command.id,
  }));
  // A variant without commands of its own has those of the webhook, in another form.
  const variants = resolution.webhook.variants.map((variant, position) =>
    written.variants?.[position]?.commands !== undefined
      ? variant
      : {
          ...variant,
          commands: variant.commands.map((form, index) => ({ ...form, id: commands[index]?.id ?? form.id })),
        },
  );
  return { ok: true, webhook: { ...resolution.webhook, commands, variants } };
}

function identityIssues({ provider, webhook_id, endpoint, commands }: DbWebhook): readonly Issue[] {
  const expected = endpointFor(provider, webhook_id);
  const ids = commands.map(({ id }) => id);
  return [
    ...(endpoint === expected ? [] : [{ path: ['endpoint'], message: `expected ${expected}` }]),
    ...ids.flatMap((id, index) =>
      ids.indexOf(id) === index
        ? []
        : [{ path: ['commands', index, 'id'], message: `${id} is used twice in this webhook` }],
    ),
  ];
}

/** Ids and names that come twice, in any case. Paths start at the whole file. */
function doublesIn(webhooks: readonly DbWebhook[]): readonly Issue[] {
  return [...doubled(webhooks, 'webhook_id'), ...doubled(webhooks, 'name')];
}

function doubled(webhooks: readonly DbWebhook[], field: 'webhook_id' | 'name'): readonly Issue[] {
  const first = new Map<string, number>();
  return webhooks.flatMap((webhook, index) => {
    const key = webhook[field].toLowerCase();
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, index);
    return earlier === undefined
      ? []
      : [
          {
            path: ['webhooks', index, field],
            message: `${webhook[field]} is already used at webhooks.${earlier}`,
          },
        ];
  });
}

function below(index: number, issue: Issue): Issue {
  return { ...issue, path: ['webhooks', index, ...issue.path] };
}

/** Which webhooks a change is about, by name. */
export interface Difference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

/**
 * Compares two states of the db, in which a webhook that did not change is the same object. One that was switched on
 * or off is named for that alone.
 */
export function difference(before: readonly DbEntry[], after: readonly DbEntry[]): Difference {
  const former = new Map(before.map((entry) => [entry.written.webhook_id, entry]));
  const latter = new Set(after.map(({ written }) => written.webhook_id));
  const pairs = after.map((entry) => ({ entry, was: former.get(entry.written.webhook_id) }));
  const switched = (enabled: boolean) =>
    pairs.filter(({ entry, was }) => was?.webhook.enabled === !enabled && entry.webhook.enabled === enabled);
  return {
    added: names(pairs.filter(({ was }) => was === undefined).map(({ entry }) => entry)),
    changed: names(
      pairs
        .filter(
          ({ entry, was }) =>
            was !== undefined &&
            was.written !== entry.written &&
            was.webhook.enabled === entry.webhook.enabled,
        )
        .map(({ entry }) => entry),
    ),
    removed: names(before.filter(({ written }) => !latter.has(written.webhook_id))),
    enabled: names(switched(true).map(({ entry }) => entry)),
    disabled: names(switched(false).map(({ entry }) => entry)),
  };
}

function names(entries: readonly DbEntry[]): readonly string[] {
  return entries.map(({ written }) => written.name);
}

const FIELDS = [...Object.keys(definitionSchema.shape), ...Object.keys(commandSchema.shape)];
/** Fields whose names differ between code and db. */
const RENAMED = new RegExp(`\\b(?:${FIELDS.filter((name) => snakeCased(name) !== name).join('|')})\\b`, 'g');

/** An issue that was found in a definition, in the words of the db. */
function inDbWords({ path, message, fix, ...rest }: Issue): Issue {
  return {
    ...rest,
    path: path.map((part) => (FIELDS.includes(String(part)) ? snakeCased(String(part)) : part)),
    message: message.replace(RENAMED, snakeCased),
    ...(fix !== undefined && { fix: fix.replace(RENAMED, snakeCased) }),
  };
}
