import { visibleLine } from '../lib/visible.ts';
import { providerNamed, providers } from '../providers/index.ts';
import type { Serving } from '../server/serve.ts';
import { endpointUrl, type RunningFacts } from '../server/status.ts';
import type { Webhook } from '../types.ts';

type Print = (text: string) => void;

/** What a user needs at start: where senders post, what to enter in their forms, where tasks appear. Ready comes last. */
export function announce(serving: Serving, print: Print): void {
  const facts = serving.facts();
  for (const webhook of serving.webhooks) announceWebhook(webhook, facts, print);
  print('Replies: not posted by this version; results stand in the tasks.');
  print(`Task list: ${facts.claudeTasks}`);
  if (serving.sessionCommand !== null) print(`  open a Claude session on it: ${serving.sessionCommand}`);
  for (const problem of serving.problems) print(`warning: ${visibleLine(problem)}`);
  if (serving.recovered > 0) print(`Taking up ${serving.recovered} deliveries that were accepted earlier.`);
  const outside = facts.publicUrl === null ? '' : `, public ${facts.publicUrl}`;
  print(`Ready on ${facts.ingressUrl}${outside} (management ${facts.managementUrl}, pid ${facts.pid})`);
}

/** The endpoints again, when the tunnel that leads to them is open or has another address. */
export function announceUrls({ facts, webhooks }: Serving, print: Print): void {
  for (const webhook of webhooks.filter(({ enabled }) => enabled)) {
    print(`  ${webhook.name}: ${endpointUrl(facts(), webhook.endpoint)}`);
  }
}

function announceWebhook(webhook: Webhook, facts: RunningFacts, print: Print): void {
  const { name, origin, enabled, secretSource } = webhook;
  const provider = providerNamed(webhook.provider);
  const url = endpointUrl(facts, webhook.endpoint);
  print(
    `${name} (${provider?.label ?? webhook.provider}, ${origin.kind}) ${enabled ? `${url}, secret: ${secretSource}` : 'disabled'}`,
  );
  if (!enabled || !showsForm(webhook)) return;
  const secretCommand = `hookctl webhook show ${name} --show-secret`;
  for (const { label, value } of provider?.formFields({ url, secretCommand }) ?? []) {
    print(`  ${`${label}:`.padEnd(14)} ${value}`);
  }
}

/** All forms would be a wall of text. Of the built-in webhooks the first has it, the others in `webhook show`. */
function showsForm({ origin, provider }: Webhook): boolean {
  return origin.kind !== 'built-in' || provider === providers[0]?.name;
}
