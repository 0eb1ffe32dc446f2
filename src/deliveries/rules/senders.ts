import type { Sender, SenderRule, Trust, Webhook, WebhookEvent } from '../../types.ts';

/** Whether a sender may command, and why. */
export interface SenderCheck {
  readonly allowed: boolean;
  readonly reason: string;
}

/**
 * The sender rule. Default deny: a person by id or association, a bot or app by its app id alone, and those who
 * are no person at all (CI, alerts) on verification. Names decide nothing: they can be changed and taken over.
 */
export function checkSender(rule: SenderRule, sender: Sender | null): SenderCheck {
  if (sender === null) return { allowed: false, reason: 'the event names no sender' };
  if (sender.kind === 'system') return { allowed: true, reason: 'verified, and no person is behind it' };
  if (sender.kind === 'bot' || sender.appId !== null) {
    const listed = sender.appId !== null && rule.apps.includes(sender.appId);
    if (!listed) return { allowed: false, reason: unlistedApp(sender) };
    if (sender.kind === 'bot')
      return { allowed: true, reason: `app ${sender.appId} is listed in \`allow.apps\`` };
  }
  if (rule.users.includes(sender.id))
    return { allowed: true, reason: `${sender.name} is listed in \`allow.users\`` };
  const association = sender.association ?? 'unknown';
  return rule.associations.includes(association)
    ? { allowed: true, reason: `${sender.name} is ${association}` }
    : { allowed: false, reason: stranger(rule, sender, association) };
}

/**
 * Whether the text of an event may command, answer, approve or stop: it must be the sender's own, and the sender must be
 * allowed. The account that acts is often another than the one that wrote: who moves, transfers, imports or edits an issue sends the
 * words of its author. Of an event without text only the sender is checked. The text of an unverified delivery never counts.
 */
export function checkTextSender(rule: SenderRule, event: WebhookEvent, trust: Trust | null): SenderCheck {
  if (trust === null || trust === 'unverified')
    return { allowed: false, reason: 'the delivery was not verified' };
  const foreign = event.text === null ? null : foreignText(event);
  return foreign === null ? checkSender(rule, event.sender) : { allowed: false, reason: foreign };
}

/** Why what a delivery asks for waits for a person, although its sender may command; null when it does not wait. */
export function heldByTrust(
  { trustFetched }: Pick<Webhook, 'trustFetched'>,
  trust: Trust | null,
): string | null {
  return trust === 'fetched' && !trustFetched
    ? "it was fetched from the sender's log, where no signature proves it (`trustFetched: true` lets it run)"
    : null;
}

/**
 * Whether a person wrote the event's text, or clicked. Another event without text (a label, an assignment) may be the work of our own
 * token, which can belong to a person.
 */
export function isByPerson({ text, author, sender, isClick }: WebhookEvent): boolean {
  if (sender?.kind !== 'person' || sender.appId !== null) return false;
  return isClick === true || (text !== null && author?.id === sender.id);
}

/** Why a text is not its sender's own act; null when it is. */
function foreignText({ author, sender, textOrigin }: WebhookEvent): string | null {
  if (sender === null) return null;
  const acted = `${sender.name} (id ${sender.id}) acted`;
  if (author === null) return `the payload does not name who wrote the text, and ${acted}`;
  if (author.id !== sender.id) {
    return `${author.name} (id ${author.id}) wrote the text, and ${acted}: a text commands only when its author sends it`;
  }
  return textOrigin === 'moved' ? `${sender.name} moved the text here, and wrote it earlier` : null;
}

function unlistedApp({ name, appId }: Sender): string {
  return appId === null
    ? `${name} is a bot, and bots command only by a listed app id`
    : `${name} acts through app ${appId}, which \`allow.apps\` does not list`;
}

function stranger(rule: SenderRule, { name, id }: Sender, association: string): string {
  const wanted = rule.associations.join(', ') || 'no association';
  const users = `allow: { users: [${JSON.stringify(id)}] }`;
  const refused = `${name} (id ${id}, ${association}) may not command; allowed: ${wanted}, or an id in \`allow.users\``;
  // It may be no stranger: the provider does not say, so the operator has to.
  return association === 'unstated'
    ? `${refused}; the payload does not say what kind of account it is: write \`${users}\`, or \`allow: { associations: [${[...rule.associations, association].join(', ')}] }\` for all such accounts`
    : `${refused}: \`${users}\``;
}
