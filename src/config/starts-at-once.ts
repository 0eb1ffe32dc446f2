import type { Sample, Webhook, WebhookCommand } from '../types.ts';
import { samplesOf } from './doubts.ts';

/**
 * A note for each command with `approval: never` whose words a stranger can write: the agent starts on them without a
 * person's approval.
 */
export function startingAtOnce(webhooks: readonly Webhook[]): readonly string[] {
  return webhooks.flatMap((webhook) =>
    webhook.commands.flatMap((command) => {
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
