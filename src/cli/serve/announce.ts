import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { PROVIDER_NAMES } from '../../providers/facts.ts';
import type { ServeStart } from '../../server/events.ts';
import { permissionText } from '../../server/permissions.ts';
import { endpointUrl, publicBase, type RunningFacts } from '../../server/status.ts';
import { formFields } from '../../server/webhook-view.ts';
import { publicUrl } from '../../tunnels/tunnel.ts';
import type { Webhook } from '../../types.ts';
import { wordsOf } from '../kit/wrapped.ts';

/** Says pieces in lines of 80 columns, which end between them. */
export type Print = (pieces: readonly string[], indent?: string) => void;

const INDENT = '  ';

/** What a user needs at start: where senders post, what to enter in their forms, where tasks appear. Ready comes last. */
export function announce(start: ServeStart, print: Print, warn: Print): void {
  const facts = start.facts();
  for (const webhook of start.webhooks) announceWebhook(webhook, facts, print);
  print(repliesPieces(start));
  const isOff = facts.claudeTasks.startsWith('off: ');
  (isOff && start.listWanted ? warn : print)([
    'Task list:',
    ...(isOff ? wordsOf(facts.claudeTasks) : [facts.claudeTasks]),
  ]);
  if (start.sessionCommand !== null) print(['open a Claude session on it:', start.sessionCommand], INDENT);
  for (const problem of start.problems) print(wordsOf(`warning: ${escapeInvisibleLine(problem)}`));
  for (const permission of start.granted)
    print(wordsOf(`new since the last start: ${escapeInvisibleLine(permissionText(permission))}`));
  if (start.recovered > 0) print([`Taking up ${start.recovered} deliveries that were accepted earlier.`]);
  if (facts.tunnel !== null && facts.tunnel.tunnel === null) {
    print([`Tunnel ${facts.tunnel.driver}: ${facts.tunnel.phase}; the public URLs follow.`]);
  }
  const outside = publicBase(facts) === null ? '' : `, public ${publicBase(facts)}`;
  const inside = `(management ${facts.managementUrl}, pid ${facts.pid})`;
  print([...wordsOf(`Ready on ${facts.ingressUrl}${outside}`), inside]);
}

/** Where hookctl answers, and why not elsewhere: `Replies: github; off: jira (no JIRA_API_TOKEN)`. */
function repliesPieces({ accounts, apps, webhooks }: ServeStart): readonly string[] {
  const answered = webhooks.filter(({ enabled, provider }) => enabled && provider.reply !== undefined);
  const used = new Set(answered.map(({ providerName }) => providerName));
  const asApp = used.has('github') ? apps.map(({ slug }) => `github as ${slug}`) : [];
  const on = [...asApp, ...[...accounts.byProvider.keys()].filter((provider) => used.has(provider))];
  const off = [...accounts.missing].filter(
    ([provider]) => used.has(provider) && (provider !== 'github' || asApp.length === 0),
  );
  const missing = listed(off.map(([provider, why]) => `${provider} (${why})`));
  if (off.length === 0) return ['Replies:', ...(on.length === 0 ? ['none'] : listed(on))];
  return ['Replies:', ...listed(on, ';'), 'off:', ...missing];
}

/** Entries with a comma after each but the last, which has `end` after it. */
function listed(entries: readonly string[], end = ''): readonly string[] {
  return entries.map((entry, at) => entry + (at === entries.length - 1 ? end : ','));
}

/** The endpoints to which the tunnel leads, when it has come up or has another address. */
export function announceUrls({ facts, webhooks }: ServeStart, print: Print): void {
  const tunnel = facts().tunnel?.tunnel ?? null;
  if (tunnel === null) return;
  for (const { name, enabled, endpoint } of webhooks) {
    const url = enabled ? publicUrl(tunnel, endpoint) : null;
    if (url !== null) print([`${name}:`, url], INDENT);
  }
}

function announceWebhook(webhook: Webhook, facts: RunningFacts, print: Print): void {
  const { name, origin, enabled, secretSource, provider } = webhook;
  const url = endpointUrl(facts, webhook.endpoint);
  const how = enabled ? `secret: ${secretSource}` : 'disabled';
  print(wordsOf(`${name} (${provider.label}, ${origin.kind}), ${how}`));
  if (!showsForm(webhook)) {
    if (enabled) print([url], INDENT);
    print(['form:', commandLine('hookctl', 'webhook', 'show', name)], INDENT);
  } else if (enabled) {
    for (const { label, value } of formFields(webhook, url)) print([`${label}:`, ...wordsOf(value)], INDENT);
  }
}

/** All forms would be a wall of text. Of the built-in webhooks the first has it, the others in `webhook show`. */
function showsForm({ origin, providerName: provider }: Webhook): boolean {
  return origin.kind !== 'built-in' || provider === PROVIDER_NAMES[0];
}
