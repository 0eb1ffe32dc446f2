import { suggestion } from '../lib/suggest.ts';
import { PROVIDER_NAMES } from '../providers/facts.ts';
import type {
  Issue,
  JsonObject,
  Provider,
  SenderRule,
  Webhook,
  WebhookCommand,
  WebhookOrigin,
} from '../types.ts';
import { type CommandSettings, resolveCommands } from './resolve-commands.ts';
import { type ValidDefinition, type ValidVariant, WEBHOOK_DEFAULTS } from './schema.ts';
import { switchedCommands } from './starts.ts';
import {
  doubleExperiment,
  inVariant,
  type ResolvedVariants,
  variantDefinition,
  variantIssues,
  variantOf,
} from './variants.ts';
import { endpointOf } from './webhook-name.ts';

/** A webhook that lacks only its secrets, which are looked up when everything else is right. */
export type WebhookWithoutSecrets = Omit<Webhook, 'secrets' | 'secretSource'>;

export type Resolution =
  | { readonly ok: true; readonly webhook: WebhookWithoutSecrets }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** What a definition may name: the providers are the project's own, and those of hookctl that are loaded for it. */
export interface Known extends CommandSettings {
  readonly providers: readonly Provider[];
}

/**
 * A definition of the right form → the webhook that the pipeline uses: defaults filled in, templates and conditions
 * compiled, names checked. All issues at once, with paths inside the definition. Static and dynamic webhooks alike.
 * `isTested`: the commands are hookctl's own, and not checked again.
 */
export async function resolveWebhook(
  definition: ValidDefinition,
  origin: WebhookOrigin,
  known: Known & { readonly isTested?: boolean },
): Promise<Resolution> {
  const found = known.providers.find(({ name }) => name === definition.provider);
  const fields = plainFields(definition);
  const { options } = fields;
  const { commands, defaultCommand, issues } = await resolveParts(definition, known);
  // A fault of the commands is said once, not for each variant that has them.
  const given = issues.length > 0 ? [] : (definition.variants ?? []);
  const { variants, issues: ofVariants } = await resolveVariants(definition, given, known);
  const shaped =
    found === undefined
      ? { ok: false as const, issues: [unknownProvider(definition.provider, known.providers)] }
      : shapedBy(found, options);
  const all = [
    ...(shaped.ok ? await answerIssues(shaped.provider) : shaped.issues),
    ...issues,
    ...ofVariants,
    ...doubleExperiment(definition),
  ];
  if (!shaped.ok || all.length > 0) return { ok: false, issues: all };
  const { provider } = shaped;
  return {
    ok: true,
    webhook: {
      ...fields,
      name: definition.name,
      providerName: provider.name,
      provider,
      endpoint: endpointOf(definition),
      origin,
      defaultCommand,
      allow: senderRule(definition, provider),
      commands,
      variants,
    },
  };
}

interface Parts {
  readonly commands: readonly WebhookCommand[];
  readonly defaultCommand: string | null;
  readonly issues: readonly Issue[];
}

/** The commands of a webhook, those that a field switches on behind the others, and which of them is the default. */
async function resolveParts(
  definition: ValidDefinition,
  { isTested = false, actions }: CommandSettings & { readonly isTested?: boolean },
): Promise<Parts> {
  const { targetAgent } = plainFields(definition);
  const written = definition.commands ?? [];
  const { switched, issues: unknown } = switchedCommands(definition);
  const { commands, issues: faults } = await resolveCommands(
    [...written, ...switched.map(({ command }) => command)],
    targetAgent,
    { actions, isTested, coalesce: definition.coalesce },
  );
  // A fault of a command that a field switches on is one of that field.
  const issues = faults.map((issue) => {
    const [, index] = issue.path;
    const field = typeof index === 'number' ? switched[index - written.length] : undefined;
    return field === undefined ? issue : { ...issue, path: field.path };
  });
  const defaultCommand = findDefault(definition);
  return {
    commands,
    defaultCommand,
    issues: [...unknown, ...issues, ...defaultIssues(definition, defaultCommand)],
  };
}

async function resolveVariants(
  definition: ValidDefinition,
  given: readonly ValidVariant[],
  { actions }: CommandSettings,
): Promise<ResolvedVariants> {
  if (given.length === 0) return { variants: [], issues: [] };
  const resolved = await Promise.all(
    given.map(async (variant, index) => {
      const own = variantDefinition(definition, variant, actions);
      const { commands, defaultCommand, issues } = await resolveParts(own, { actions });
      return {
        variant: variantOf(variant, commands, defaultCommand),
        issues: issues.map(inVariant(variant, index)),
      };
    }),
  );
  return {
    variants: resolved.map(({ variant }) => variant),
    issues: [...variantIssues(given), ...resolved.flatMap(({ issues }) => issues)],
  };
}

type PlainFields = { readonly [K in keyof typeof WEBHOOK_DEFAULTS]: NonNullable<ValidDefinition[K]> };

/** The fields that a webhook in force has as they were given, or by default; undefined is not given. */
function plainFields(definition: ValidDefinition): PlainFields {
  const given = Object.entries(definition).filter(
    ([name, value]) => name in WEBHOOK_DEFAULTS && value !== undefined,
  );
  return { ...WEBHOOK_DEFAULTS, ...Object.fromEntries(given) };
}

/** The provider as the webhook's options shape it, or what is wrong with them; paths start at the definition. */
function shapedBy(
  provider: Provider,
  options: JsonObject,
):
  | { readonly ok: true; readonly provider: Provider }
  | { readonly ok: false; readonly issues: readonly Issue[] } {
  if (Object.keys(options).length === 0) return { ok: true, provider };
  const configured = provider.configure?.(options);
  const issues =
    configured === undefined ? noOptions(provider, options) : configured.ok ? [] : configured.issues;
  if (issues.length === 0) return configured?.ok === true ? configured : { ok: true, provider };
  return {
    ok: false,
    issues: issues.map((issue) => ({ ...issue, path: ['options', ...issue.path] })),
  };
}

/** What is wrong with the template of an answer; Handlebars is loaded only where there is one. */
async function answerIssues({ answer }: Provider): Promise<readonly Issue[]> {
  if (answer === undefined || !answer.body.includes('{{')) return [];
  const { compileTemplate } = await import('../templates/template.ts');
  const result = compileTemplate(answer.body);
  if (result.ok) return [];
  const fix = 'It is Handlebars over the payload: OK, or <Message>{{Body}}</Message>.';
  return [{ path: ['options', 'answerBody'], message: result.message, fix }];
}

/** A provider that reads no options knows none. */
function noOptions({ label }: Provider, options: JsonObject): readonly Issue[] {
  return Object.keys(options).map((name) => ({
    path: [name],
    message: `unknown setting: a webhook of ${label} has no options`,
    fix: 'Remove it.',
    atKey: true,
  }));
}

function senderRule({ allow }: ValidDefinition, provider: Provider): SenderRule {
  return {
    associations: allow?.associations ?? provider.defaultAssociations,
    users: allow?.users ?? [],
    apps: allow?.apps ?? [],
  };
}

function unknownProvider(typed: string, providers: readonly Provider[]): Issue {
  const names = [...new Set([...PROVIDER_NAMES, ...providers.map(({ name }) => name)])];
  return {
    path: ['provider'],
    message: `there is no provider ${typed}`,
    fix: suggestion(typed, names),
  };
}

/** The name of the text command that `defaultCommand` means (an alias will do); null when it means none. */
function findDefault({ defaultCommand, commands = [] }: ValidDefinition): string | null {
  const wanted = defaultCommand?.toLowerCase();
  const words = (name: string, aliases: readonly string[]) => [name, ...aliases].map((w) => w.toLowerCase());
  const found = commands.find(
    ({ name, aliases = [] }) =>
      name !== undefined && wanted !== undefined && words(name, aliases).includes(wanted),
  );
  return found?.name ?? null;
}

function defaultIssues(definition: ValidDefinition, found: string | null): readonly Issue[] {
  const { defaultCommand, requirePrefix } = definition;
  const names = (definition.commands ?? []).flatMap(({ name }) => name ?? []);
  if (defaultCommand !== undefined && found === null) {
    const fix = names.length === 0 ? 'Add it to commands.' : suggestion(defaultCommand, names);
    const message = `there is no text command ${defaultCommand}`;
    return [{ path: ['defaultCommand'], message, fix }];
  }
  if (requirePrefix === false && found === null && names.length > 0) {
    const message = 'without a prefix the default command runs, but defaultCommand is missing';
    return [{ path: ['requirePrefix'], message, fix: `Add defaultCommand: ${names.join(' or ')}.` }];
  }
  return [];
}
