import { eventMatches } from '../conditions/event-type.ts';
import { requestPlace } from '../lib/http/request-place.ts';
import { isJsonObject, valuesAt } from '../lib/json.ts';
import { suggest } from '../lib/suggest.ts';
import {
  allCommands,
  type JsonObject,
  type JsonValue,
  type Sample,
  type Webhook,
  type WebhookCommand,
} from '../types.ts';

/** More samples than these are not made for one command. */
const MAX_SAMPLES = 40;

/**
 * What is allowed and probably a mistake: event types and payload paths that no sample of the provider has. Samples do
 * not hold everything that a sender may send, so these are notes, and no errors.
 */
export async function lintWebhooks(webhooks: readonly Webhook[]): Promise<readonly string[]> {
  const warnings = await Promise.all(webhooks.map(lintWebhook));
  return warnings.flat();
}

async function lintWebhook(webhook: Webhook): Promise<readonly string[]> {
  const all = { ...webhook, commands: allCommands(webhook) };
  const { events, commands } = webhook.origin.kind === 'built-in' ? adjusted(all) : all;
  if (events.length + commands.length === 0 || webhook.provider.samples.length === 0) return [];
  const ofCommands = await Promise.all(commands.map((command) => commandWarnings(command, webhook)));
  const warnings = [...events.flatMap((type) => eventWarning(type, webhook) ?? []), ...ofCommands.flat()];
  const place = webhook.origin.kind === 'static' ? `${webhook.origin.file}: ` : '';
  return [...new Set(warnings)].map((warning) => `${place}webhook ${webhook.name}: ${warning}`);
}

/** What the project wrote into a built-in webhook; a test looks at the rest. */
function adjusted({
  events,
  commands,
  provider: { webhook },
}: Webhook): Pick<Webhook, 'events' | 'commands'> {
  const templates = webhook?.commands.map(({ template }) => template) ?? [];
  return {
    events: events.filter((type) => webhook?.events?.includes(type) !== true),
    commands: commands.filter(
      ({ template, kind }) => kind === 'trigger' || !templates.includes(template.source),
    ),
  };
}

/** The same about one command of a webhook alone. */
export async function lintCommand(webhook: Webhook, command: WebhookCommand): Promise<readonly string[]> {
  return lintWebhooks([{ ...webhook, events: [], commands: [command], variants: [] }]);
}

async function commandWarnings(command: WebhookCommand, webhook: Webhook): Promise<readonly string[]> {
  if (command.kind === 'text') return pathWarnings(command, webhook, webhook.provider.samples);
  const event = eventWarning(command.trigger, webhook);
  if (event !== null) return [event];
  return pathWarnings(command, webhook, samplesOf(command.trigger, webhook));
}

/** An event type, or a pattern of them, near to one that is known, or of a family that no sample has. */
function eventWarning(type: string, webhook: Webhook): string | null {
  const { provider } = webhook;
  if (samplesOf(type, webhook).length > 0) return null;
  const known = provider.samples.map((sample) => sample.type);
  const near = suggest(type, [...known, ...patternsOf(known)]);
  if (near !== null) return `${provider.label} is not known to send ${type}; did you mean ${near}?`;
  const family = (text: string) => text.split('.')[0];
  const isKnownFamily = known.some((other) => family(other) === family(type));
  // Providers without a webhook of their own, such as generic, take any event type.
  return isKnownFamily || provider.webhook === null
    ? null
    : `hookctl has no sample of ${type}: make sure that ${provider.label} sends it; known: ${known.slice(0, 8).join(', ')}, …`;
}

/** `issues.opened` → `issues.*`. */
function patternsOf(types: readonly string[]): readonly string[] {
  return types.filter((type) => type.includes('.')).map((type) => type.replace(/\.[^.]*$/, '.*'));
}

/** The samples of the events that a trigger takes. */
function samplesOf(trigger: string, { provider }: Webhook): readonly Sample[] {
  return provider.samples.filter(({ type }) => eventMatches([trigger], type));
}

async function pathWarnings(
  command: WebhookCommand,
  { provider }: Webhook,
  samples: readonly Sample[],
): Promise<readonly string[]> {
  const { payloadPaths } = await import('../templates/check.ts');
  const conditions = command.kind === 'trigger' ? conditionPaths(command.conditions.source) : [];
  const paths = [...payloadPaths(command.template.source), ...conditions];
  if (paths.length === 0 || samples.length === 0) return [];
  const payloads = samples.slice(0, MAX_SAMPLES).map(payloadOf);
  const where = command.kind === 'trigger' ? command.trigger : provider.label;
  return paths.flatMap((path) => {
    if (payloads.some((payload) => valuesAt(payload, path).length > 0)) return [];
    const near = nearest(path, payloads);
    const told = `no sample of ${where} has ${path.join('.')}`;
    return [near === null ? told : `${told}; did you mean ${near}?`];
  });
}

function payloadOf(sample: Sample): JsonObject {
  let number = 1;
  return sample.build({ text: 'x', now: new Date(0), nextNumber: () => number++ });
}

/** Fields that conditions name; `$exists: false` expects none. */
function conditionPaths(source: JsonObject): readonly (readonly string[])[] {
  return Object.entries(source).flatMap(([key, query]) => {
    if (key.startsWith('$'))
      return Array.isArray(query)
        ? (query as readonly JsonValue[]).flatMap((item) => (isJsonObject(item) ? conditionPaths(item) : []))
        : [];
    // What the head of a request holds, no sample tells.
    if (requestPlace(key) !== null) return [];
    if (!isJsonObject(query)) return [key.split('.')];
    if (query.$exists === false) return [];
    const inside = isJsonObject(query.$elemMatch ?? null)
      ? conditionPaths(query.$elemMatch as JsonObject)
      : [];
    return [key.split('.'), ...inside.map((path) => [...key.split('.'), ...path])];
  });
}

/** The path with its first unknown name replaced by the one that was probably meant. */
function nearest(path: readonly string[], payloads: readonly JsonObject[]): string | null {
  for (const payload of payloads) {
    const known = path.findIndex((_, index) => valuesAt(payload, path.slice(0, index + 1)).length === 0);
    const parents = known === 0 ? [payload] : valuesAt(payload, path.slice(0, known));
    const names = parents.flatMap((parent) => {
      const inside = Array.isArray(parent) ? (parent as readonly JsonValue[])[0] : parent;
      return isJsonObject(inside ?? null) ? Object.keys(inside as JsonObject) : [];
    });
    const near = suggest(path[known] ?? '', names);
    if (near === null) continue;
    const fixed = [...path.slice(0, known), near, ...path.slice(known + 1)];
    if (valuesAt(payload, fixed).length > 0) return fixed.join('.');
  }
  return null;
}

/**
 * A note for each command with `approval: never` whose words a stranger can write: the agent starts on them without a
 * person's approval.
 */
export function startsWithoutApproval(webhooks: readonly Webhook[]): readonly string[] {
  return webhooks.flatMap((webhook) =>
    allCommands(webhook).flatMap((command) => {
      if (!webhook.enabled || command.approval !== 'never' || command.requiresApproval) return [];
      if (!canBringStrangersWords(webhook, command)) return [];
      const place = webhook.origin.kind === 'static' ? `${webhook.origin.file}: ` : '';
      const name = command.kind === 'trigger' ? command.trigger : command.name;
      return `${place}webhook ${webhook.name}: ${name} has \`approval: never\`: ${command.targetAgent} starts at once on words that a stranger can have written`;
    }),
  );
}

/** By the samples of the events that the command takes; where there are none, it can. */
function canBringStrangersWords(webhook: Webhook, command: WebhookCommand): boolean {
  const { samples } = webhook.provider;
  const taken = command.kind === 'trigger' ? samplesOf(command.trigger, webhook) : samples;
  return taken.length === 0 || taken.some((sample) => bringsStrangersWords(webhook, sample));
}

function bringsStrangersWords(webhook: Webhook, sample: Sample): boolean {
  const { provider, commandPrefix, options, name } = webhook;
  const secret = webhook.secrets[0]?.value;
  if (secret === undefined) return true;
  try {
    const now = new Date(0);
    let number = 1;
    const payload = sample.build({ text: 'x', now, nextNumber: () => number++ });
    const context = { type: sample.type, secret, deliveryId: 'check', now };
    const request = provider.sign(Buffer.from(JSON.stringify(payload)), context);
    const parsed = provider.parse({ ...request, query: '' }, { commandPrefix, options, name });
    return (
      !parsed.ok ||
      parsed.events.some(
        ({ sender, hasStrangersWords }) =>
          sender === null || (sender.kind === 'system' && hasStrangersWords === true),
      )
    );
  } catch {
    // A secret that only verifies (a public key) signs no sample.
    return true;
  }
}
