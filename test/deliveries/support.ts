import { actions } from '../../src/actions/index.ts';
import { resolveWebhook } from '../../src/config/resolve.ts';
import { definitionSchema } from '../../src/config/schema.ts';
import type { Sender, Webhook, WebhookEvent } from '../../src/types.ts';
import { providers } from '../support/providers.ts';

/** The words of the built-in GitHub webhook, with short templates. */
const COMMANDS = [
  { name: 'analyze', aliases: ['analysis'], template: 'Analyze {{@argument}}' },
  { name: 'plan', template: 'Plan {{@argument}}' },
  { name: 'fix', template: 'Fix {{@argument}}', requiresApproval: true },
];

/** A webhook as configuration makes it from a definition. */
export async function webhookWith(definition: object = {}): Promise<Webhook> {
  const parsed = definitionSchema.parse({
    name: 'github',
    provider: 'github',
    commands: COMMANDS,
    defaultCommand: 'analyze',
    ...definition,
  });
  const resolved = await resolveWebhook(parsed, { kind: 'built-in' }, { providers, actions });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.issues));
  return { ...resolved.webhook, secrets: [], secretSource: 'none' };
}

export function person(changes: Partial<Sender> = {}): Sender {
  return { id: '1', name: 'ada', kind: 'person', association: 'OWNER', appId: null, ...changes };
}

/** An event whose text, where it has one, is its sender's. */
export function eventWith(changes: Partial<WebhookEvent> = {}): WebhookEvent {
  const sender = changes.sender === undefined ? person() : changes.sender;
  const isText = sender !== null && (changes.text ?? null) !== null;
  return {
    type: 'issue_comment.created',
    externalId: 'github:octo/repo#1',
    sender,
    text: null,
    author: isText ? { id: sender.id, name: sender.name } : null,
    textOrigin: 'created',
    title: 'Login fails',
    url: 'https://github.com/octo/repo/issues/1',
    payload: {},
    ...changes,
  };
}
