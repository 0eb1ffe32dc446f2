import { createHash } from 'node:crypto';
import { commandLabel } from '../../labels.ts';
import type { Variant, Webhook, WebhookCommand, WebhookEvent } from '../../types.ts';

/** How an event is handled whose webhook has variants. */
export interface Choice {
  /** The webhook as the chosen variants have it. */
  readonly webhook: Webhook;
  /** The chosen variants, as deliveries name them. */
  readonly names: readonly string[];
  /** The one that decides about a command, by the command's label; undefined where none does. */
  readonly nameOf: (command: string) => string | undefined;
  readonly shadows: readonly Shadow[];
}

/** A form of the webhook that decides beside the one that acts. */
interface Shadow {
  readonly name: string;
  readonly webhook: Webhook;
  /** The label of the command that it is about; null when it is the whole webhook. */
  readonly command: string | null;
}

export function hasVariants({ variants, commands }: Webhook): boolean {
  return variants.length > 0 || commands.some((command) => command.variants.length > 0);
}

/**
 * Chooses by a hash of the external id, so that a thread stays with its variant, also after a restart. Null where the webhook has
 * none. What has no external id is its own thread, which its payload tells.
 */
export function choose(webhook: Webhook, { externalId, payload }: WebhookEvent): Choice | null {
  if (!hasVariants(webhook)) return null;
  const thread = externalId ?? JSON.stringify(payload);
  const { origin, name } = webhook;
  // A dynamic webhook keeps its threads when its name changes.
  const scope = origin.kind === 'dynamic' ? origin.webhookId : name;
  if (webhook.variants.length > 0) {
    const chosen = liveVariant(webhook.variants, scope, thread);
    return {
      webhook: asVariant(webhook, chosen),
      names: [chosen.name],
      nameOf: () => chosen.name,
      shadows: webhook.variants
        .filter(({ mode }) => mode === 'shadow')
        .map((each) => ({ name: each.name, webhook: asVariant(webhook, each), command: null })),
    };
  }
  const names = new Map<string, string>();
  const shadows: Shadow[] = [];
  const commands = webhook.commands.map((command): WebhookCommand => {
    if (command.variants.length === 0) return command;
    const label = commandLabel(command);
    for (const each of command.variants.filter(({ mode }) => mode === 'shadow')) {
      const own = webhook.commands.map((other) => (other === command ? formOf(command, each) : other));
      shadows.push({ name: `${label}/${each.name}`, webhook: { ...webhook, commands: own }, command: label });
    }
    const chosen = liveVariant(command.variants, `${scope}\n${label}`, thread);
    names.set(label, `${label}/${chosen.name}`);
    return formOf(command, chosen);
  });
  return {
    webhook: { ...webhook, commands },
    names: [...names.values()],
    nameOf: (command) => names.get(command),
    shadows,
  };
}

function asVariant(webhook: Webhook, { commands, defaultCommand }: Variant): Webhook {
  return { ...webhook, commands, defaultCommand, variants: [] };
}

/** The form keeps the id, of which the ids of tasks are made. */
function formOf(command: WebhookCommand, { commands: [form = command] }: Variant): WebhookCommand {
  return { ...form, id: command.id };
}

/**
 * The live variant of a thread. Each variant draws a number for the thread, and the best by weight has it: when weights change or
 * a variant comes or goes, no other thread moves than those that have to.
 */
export function liveVariant(variants: readonly Variant[], scope: string, thread: string): Variant {
  const live = variants.filter(({ mode }) => mode === 'live');
  const drawn = live.map((variant) => ({
    variant,
    rank: -Math.log(draw(`${scope}\n${variant.name}\n${thread}`)) / variant.weight,
  }));
  const [first] = drawn.toSorted((a, b) => a.rank - b.rank);
  if (first === undefined) throw new Error('no variant is live');
  return first.variant;
}

const BITS = 48;

/** A number above 0 and below 1, the same for the same text. */
function draw(text: string): number {
  const digest = createHash('sha256').update(text).digest();
  return (digest.readUIntBE(0, BITS / 8) + 0.5) / 2 ** BITS;
}
