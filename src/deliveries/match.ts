import { actionNamed } from '../actions/index.ts';
import { namesEvent } from '../conditions/event-type.ts';
import { commandLabel } from '../labels.ts';
import { tellsOfChange } from '../providers/links/change.ts';
import type {
  Decision,
  Parsed,
  RequestHead,
  TriggerCommand,
  Trust,
  Webhook,
  WebhookCommand,
  WebhookEvent,
} from '../types.ts';
import type { EventContext } from './context.ts';
import { checkSender, checkTextSender, heldByTrust, type SenderCheck } from './rules/senders.ts';
import { type Call, findCall, ownPost } from './rules/text-command.ts';
import { hasVariants } from './variants/choose.ts';

/** Whether one command fires for one event, and why. */
export interface Match {
  readonly command: WebhookCommand;
  readonly fired: boolean;
  /** Why it fired or did not, in words a user can act on. */
  readonly reason: string;
  /** The text behind the command; empty for triggers. */
  readonly argument: string;
  /** The task must wait for a person. */
  readonly needsApproval: boolean;
  /** The sender may command; only then is anything posted. */
  readonly allowed: boolean;
}

export interface Matching {
  /** One entry for each command, text command first, then triggers by priority: the order in which they run. */
  readonly matches: readonly Match[];
  /** Why nothing fired, in one sentence; null when something did. */
  readonly ignored: string | null;
}

/**
 * Decides, for one event, which commands of a webhook fire, and for each that does not, why. Pure. The text of an unverified
 * delivery commands nothing; its triggers make tasks that never run. What a fetched one asks for waits for a person.
 */
export function match(
  webhook: Webhook,
  event: WebhookEvent,
  trust: Trust = 'verified',
  request?: RequestHead,
): Matching {
  const own = ownPost(event);
  const check = own === null ? checkSender(webhook.allow, event.sender) : { allowed: false, reason: own };
  const call = callOf(webhook, event, trust);
  const held = heldByTrust(webhook, trust);
  // An assignment is the sender's own act, also where another person wrote the text.
  const spoken = call.byEvent ? { ...event, text: null } : event;
  const textCheck = own === null ? checkTextSender(webhook.allow, spoken, trust) : check;
  const matches = inOrder(webhook.commands).map((command): Match => {
    if (own !== null) return silent(command, own);
    const matched =
      command.kind === 'text'
        ? matchText(command, call, { event, check: textCheck })
        : matchTrigger(command, event, command.action === 'repair' ? BY_RESULT : check, request);
    return held !== null && matched.fired ? hold(matched, held) : matched;
  });
  const withheld = held === null ? undefined : matches.find(({ reason }) => reason.includes(held));
  return {
    matches,
    ignored: matches.some(({ fired }) => fired)
      ? null
      : (withheld?.reason ?? whyIgnored(matches, event, call, textCheck)),
  };
}

/** Where the event itself asks (an assignment), a text that starts nothing does not prevent that. */
function callOf(webhook: Webhook, event: WebhookEvent, trust: Trust): Call {
  const call = findCall(webhook, event);
  if (event.asks == null || event.text === null || call.byEvent) return call;
  const counts = call.command !== null && checkTextSender(webhook.allow, event, trust).allowed;
  return counts ? call : findCall(webhook, { ...event, text: null });
}

/** A stable sort: commands of one priority stay in the order of their creation. */
function inOrder(commands: readonly WebhookCommand[]): readonly WebhookCommand[] {
  const texts = commands.filter(({ kind }) => kind === 'text');
  const triggers = commands.filter((command) => command.kind === 'trigger');
  return [...texts, ...triggers.toSorted((left, right) => left.priority - right.priority)];
}

/**
 * Why a task waits although its sender may command: no person is behind it, and a stranger can have written its words. Only a
 * command that says `approval: never` starts on them.
 */
function strangersWords({ approval }: WebhookCommand, { sender, hasStrangersWords }: WebhookEvent): string {
  if (sender?.kind !== 'system' || hasStrangersWords !== true || approval === 'never') return '';
  return '; waits for approval: a stranger can have written the words (`approval: never` starts it at once)';
}

/** Why a task waits although its sender may command: nothing says that the new words are the sender's (an issue that was made of mail). */
function unnamedAuthor({ approval }: WebhookCommand, { sender, text, author }: WebhookEvent): string {
  return approval !== 'never' && sender?.kind === 'person' && text !== null && author === null
    ? '; waits for approval: the payload does not name who wrote the words'
    : '';
}

/** Why a task waits whose sender may not command. Where the event names no sender, `approval: never` starts it, too. */
function refusedSender(
  { approval }: WebhookCommand,
  { sender }: WebhookEvent,
  { reason }: SenderCheck,
): string {
  return sender === null && approval === 'never' ? '' : `; waits for approval: ${reason}`;
}

function matchText(
  command: WebhookCommand,
  call: Call,
  { event, check }: { readonly event: WebhookEvent; readonly check: SenderCheck },
): Match {
  if (call.command === null) return silent(command, call.reason);
  if (call.command !== command) return silent(command, `the text asks for \`${call.command.name}\``);
  if (!check.allowed) return silent(command, `${call.reason}, but ${check.reason}`);
  const held = strangersWords(command, event);
  return {
    command,
    fired: true,
    reason: `${call.reason}; ${check.reason}${held}`,
    argument: call.argument,
    needsApproval: command.requiresApproval || held !== '',
    allowed: true,
  };
}

/** Results of checks come from apps that no `allow` lists; the bounds of `repair` decide about them. */
const BY_RESULT: SenderCheck = { allowed: true, reason: 'the result of a check' };

function matchTrigger(
  command: TriggerCommand,
  event: WebhookEvent,
  check: SenderCheck,
  request?: RequestHead,
): Match {
  if (!namesEvent([command.trigger], event)) {
    const part = event.isPart === true ? ', which only a trigger of that exact type takes' : '';
    return silent(command, `the event is ${event.type}${part}, the trigger ${command.trigger}`);
  }
  const unmet = command.conditions.unmet(event.payload, request);
  if (unmet !== null) return silent(command, unmet);
  if (!check.allowed && actionNamed(command.action)?.reachesOut) {
    return silent(command, `\`${command.action}\` needs an allowed sender: ${check.reason}`);
  }
  const held = check.allowed
    ? strangersWords(command, event) || unnamedAuthor(command, event)
    : refusedSender(command, event, check);
  const needsApproval = command.requiresApproval || held !== '';
  return {
    command,
    fired: true,
    reason: `${event.type} and its conditions hold${held}`,
    argument: '',
    needsApproval,
    allowed: check.allowed,
  };
}

/** A match whose task waits for approval; an action that makes none does not run. */
function hold(match: Match, held: string): Match {
  const { command, reason } = match;
  return actionNamed(command.action)?.reachesOut === true
    ? silent(command, `\`${command.action}\` does not run by itself: ${held}; \`hookctl replay\` runs it`)
    : { ...match, needsApproval: true, reason: `${reason}; waits for approval: ${held}` };
}

function silent(command: WebhookCommand, reason: string): Match {
  return { command, fired: false, reason, argument: '', needsApproval: false, allowed: false };
}

/** The most useful reason: a refused sender before a missing prefix before a trigger that did not match. */
function whyIgnored(
  matches: readonly Match[],
  { type }: WebhookEvent,
  call: Call,
  check: SenderCheck,
): string {
  if (matches.length === 0) return 'the webhook has no commands';
  if (call.command !== null && !check.allowed) return check.reason;
  const text = matches.find(({ command }) => command.kind === 'text');
  const trigger = matches.find(
    ({ command, reason }) => command.kind === 'trigger' && !reason.startsWith('the event is'),
  );
  const known = new Set(matches.map(({ command }) => (command.kind === 'trigger' ? command.trigger : '')));
  const none = `no trigger fits ${type}; triggers: ${[...known].join(', ')}`;
  return (trigger ?? text)?.reason ?? none;
}

/** The record of a match, as it was decided or as these changes say. */
export function decisionOf(
  { event, index }: Pick<EventContext, 'event' | 'index'>,
  match: Match,
  changes: Partial<Decision>,
): Decision {
  return {
    event: index,
    eventType: event.type,
    command: commandLabel(match.command),
    fired: true,
    reason: match.reason,
    taskIds: [],
    error: null,
    ...changes,
  };
}

/** The outcome of a delivery that does nothing. */
interface Ignored {
  readonly reason: string;
  readonly decisions: readonly Decision[];
}

/**
 * The outcome of a delivery that is certain before it is stored: its events bring no text, so that they steer no task, move no
 * subject, and no command fires. Most deliveries are like that, and one write records both row and outcome. Null when the
 * delivery has to be worked off. Pure.
 */
export function nothingToDo(
  webhook: Webhook,
  { events }: Pick<Extract<Parsed, { ok: true }>, 'events'>,
  trust: Trust,
  request?: RequestHead,
): Ignored | null {
  // Which variant decides, and what a webhook in shadow would do, is recorded with the outcome.
  if (webhook.mode === 'shadow' || hasVariants(webhook)) return null;
  const { name } = webhook.provider;
  const acts = (event: WebhookEvent) => event.text !== null || event.button !== undefined;
  if (events.some((event) => acts(event) || isMove(event) || tellsOfChange(name, event))) return null;
  const [event, ...more] = events;
  const saysMore =
    event === undefined ||
    more.length > 0 ||
    event.asks != null ||
    event.withoutText != null ||
    event.isPart === true ||
    event.isOwn === true;
  return (
    (saysMore ? null : ignoredByType(webhook, event, trust)) ??
    ignoredByMatching(webhook, events, trust, request)
  );
}

/** Decided once for each webhook and type of event; null where the type alone does not decide. */
const knownTypes = new WeakMap<Webhook, Map<string, Ignored | null>>();
/** Senders may make types up. */
const MOST_TYPES = 200;

/** The outcome of an event that says no more than its type, where neither a trigger nor the default command takes that type. */
function ignoredByType(webhook: Webhook, event: WebhookEvent, trust: Trust): Ignored | null {
  const known = knownTypes.get(webhook) ?? new Map<string, Ignored | null>();
  const before = known.get(event.type);
  if (before !== undefined) return before;
  const triggers = webhook.commands.flatMap((each) => (each.kind === 'trigger' ? [each.trigger] : []));
  const isTaken = namesEvent(webhook.requirePrefix ? triggers : [...triggers, ...webhook.events], event);
  const ignored = isTaken ? null : ignoredByMatching(webhook, [event], trust);
  if (known.size < MOST_TYPES) knownTypes.set(webhook, known.set(event.type, ignored));
  return ignored;
}

function ignoredByMatching(
  webhook: Webhook,
  events: readonly WebhookEvent[],
  trust: Trust,
  request?: RequestHead,
): Ignored | null {
  const matchings = events.map((event) => match(webhook, event, trust, request));
  if (matchings.some(({ ignored }) => ignored === null)) return null;
  return {
    reason: joinReasons(matchings.map(({ ignored }) => ignored)),
    decisions: events.flatMap((event, index) =>
      (matchings[index]?.matches ?? []).map((each) => decisionOf({ event, index }, each, { fired: false })),
    ),
  };
}

/** Why no event of a delivery did anything, each cause once. */
export function joinReasons(reasons: readonly (string | null)[]): string {
  const known = new Set(reasons.filter((reason) => reason !== null));
  return [...known].join('; ') || 'it holds no event';
}

/** Whether an event tells of a rename, transfer or move of its subject. */
export function isMove({ stableIds = [], otherIds = [] }: WebhookEvent): boolean {
  return stableIds.length > 1 || otherIds.length > 0;
}
