import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { providers } from '../../providers/index.ts';
import type { Serving } from '../../server/serve.ts';
import { endpointUrl, publicBase, type RunningFacts } from '../../server/status.ts';
import { publicUrl } from '../../tunnels/tunnel.ts';
import type { Webhook } from '../../types.ts';
import { formLines } from '../webhook/form.ts';

type Print = (text: string) => void;

/** What a user needs at start: where senders post, what to enter in their forms, where tasks appear. Ready comes last. */
export function announce(serving: Serving, print: Print, warn: Print): void {
  const facts = serving.facts();
  for (const webhook of serving.webhooks) announceWebhook(webhook, facts, print);
  print(repliesLine(serving));
  const isOff = facts.claudeTasks.startsWith('off: ');
  (isOff && serving.listWanted ? warn : print)(`Task list: ${facts.claudeTasks}`);
  if (serving.sessionCommand !== null) print(`  open a Claude session on it: ${serving.sessionCommand}`);
  for (const problem of serving.problems) print(`warning: ${escapeInvisibleLine(problem)}`);
  for (const { target, says } of serving.granted)
    print(`new since the last start: ${escapeInvisibleLine(`${target} ${says}`)}`);
  if (serving.recovered > 0) print(`Taking up ${serving.recovered} deliveries that were accepted earlier.`);
  if (facts.tunnel !== null && facts.tunnel.tunnel === null) {
    print(`Tunnel ${facts.tunnel.driver}: ${facts.tunnel.phase}; the public URLs follow.`);
  }
  const outside = publicBase(facts) === null ? '' : `, public ${publicBase(facts)}`;
  print(`Ready on ${facts.ingressUrl}${outside} (management ${facts.managementUrl}, pid ${facts.pid})`);
}

/** Where hookctl answers, and why not elsewhere: `Replies: github; off: jira (no JIRA_API_TOKEN)`. */
function repliesLine({ accounts, webhooks }: Serving): string {
  const used = new Set(
    webhooks.filter(({ enabled }) => enabled).map(({ providerName: provider }) => provider),
  );
  const on = [...accounts.byProvider.keys()].filter((provider) => used.has(provider));
  const off = [...accounts.missing].filter(([provider]) => used.has(provider));
  const missing = off.map(([provider, why]) => `${provider} (${why})`).join(', ');
  if (missing === '') return `Replies: ${on.join(', ') || 'none'}`;
  return on.length === 0 ? `Replies: off: ${missing}` : `Replies: ${on.join(', ')}; off: ${missing}`;
}

/** The endpoints to which the tunnel leads, when it has come up or has another address. */
export function announceUrls({ facts, webhooks }: Serving, print: Print): void {
  const tunnel = facts().tunnel?.tunnel ?? null;
  if (tunnel === null) return;
  for (const { name, enabled, endpoint } of webhooks) {
    const url = enabled ? publicUrl(tunnel, endpoint) : null;
    if (url !== null) print(`  ${name}: ${url}`);
  }
}

function announceWebhook(webhook: Webhook, facts: RunningFacts, print: Print): void {
  const { name, origin, enabled, secretSource, provider } = webhook;
  const url = endpointUrl(facts, webhook.endpoint);
  print(
    `${name} (${provider.label}, ${origin.kind}) ${enabled ? `${url}, secret: ${secretSource}` : 'disabled'}${showsForm(webhook) ? '' : `; form: ${commandLine('hookctl', 'webhook', 'show', name)}`}`,
  );
  if (!enabled || !showsForm(webhook)) return;
  print(formLines(webhook, url));
}

/** All forms would be a wall of text. Of the built-in webhooks the first has it, the others in `webhook show`. */
function showsForm({ origin, providerName: provider }: Webhook): boolean {
  return origin.kind !== 'built-in' || provider === providers[0]?.name;
}
