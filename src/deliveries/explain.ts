import type { Repositories, Route } from '../config/project/repositories.ts';
import { commandLabel } from '../labels.ts';
import { REDACTED } from '../lib/redact/redact.ts';
import { withoutShapes } from '../lib/redact/secret-shapes.ts';
import { type OwnerLimits, refusedCommand } from '../tasks/owner-limits.ts';
import {
  type Decision,
  type RawRequest,
  RESERVED_COMMAND_NAMES,
  type Trust,
  type Webhook,
  type WebhookCommand,
} from '../types.ts';
import { repositoriesNamed } from './links/named-repositories.ts';
import { type Match, type Matching, match } from './match.ts';
import { readRequest } from './rules/read-request.ts';
import { choose } from './variants/choose.ts';

/** Which commands of a webhook fire for a request today, and why. Nothing is written, nothing runs. */
export interface Explanation {
  /** The webhook's; null where there is no such webhook any more. */
  readonly owner: string | null;
  /** Why no command was asked at all (disabled webhook, unparseable bytes); null when they were. */
  readonly obstacle: string | null;
  readonly events: readonly (Matching & {
    readonly type: string;
    readonly externalId: string | null;
    /** The variants that decide about it; null where the webhook has none. */
    readonly variant: string | null;
    /** Nothing of it is done: the webhook is in shadow. */
    readonly inShadow: boolean;
    /** Where a task of it would run; null where that was not asked, it has no subject, or no command fires. */
    readonly route: Route | null;
  })[];
}

/** What decides beside the webhook. */
interface Surroundings {
  /** To say where its tasks run; default: that is not said. */
  readonly repositories?: Repositories | null;
  /** Limits of owners; default: none. */
  readonly owners?: OwnerLimits;
  /** Whose the delivery is; default: the webhook's owner. */
  readonly owner?: string | undefined;
}

/** Explains a request; `trust` is why it is believed. */
export async function explain(
  webhook: Webhook,
  request: RawRequest,
  trust: Trust = 'operator',
  { repositories = null, owners = {}, owner = webhook.owner }: Surroundings = {},
): Promise<Explanation> {
  if (!webhook.enabled) return { owner, obstacle: `the webhook ${webhook.name} is disabled`, events: [] };
  const parsed = await readRequest(webhook, request);
  if (!parsed.ok) return { owner, obstacle: clean(parsed.reason), events: [] };
  const events = parsed.events.map((event) => {
    const choice = choose(webhook, event);
    const form = choice?.webhook ?? webhook;
    const position = ({ command }: Match) => form.commands.indexOf(command);
    const { matches, ignored } = match(form, event, trust, request);
    return {
      // In the order in which the webhook lists its commands: the two are read side by side.
      matches: matches
        .toSorted((left, right) => position(left) - position(right))
        .map((each) => {
          const refusal = each.fired ? refusedCommand(owners, owner, each.command) : null;
          return refusal === null
            ? { ...each, reason: clean(each.reason) }
            : { ...each, fired: false, reason: refusal };
        }),
      ignored: clean(ignored),
      type: event.type,
      variant: choice === null ? null : choice.names.join(' '),
      inShadow: webhook.mode === 'shadow',
      externalId: clean(event.externalId),
      route:
        repositories === null || event.externalId === null || !matches.some(({ fired }) => fired)
          ? null
          : repositories.routeOf(event.externalId, repositoriesNamed(repositories, webhook, event, trust)),
    };
  });
  return { owner, obstacle: null, events };
}

/** Reasons quote the payload, which was not stored and so not redacted. */
function clean<Text extends string | null>(text: Text): Text | string {
  return text === null ? text : withoutShapes(text, REDACTED);
}

/** Whether a command fires for an event. `none`: there is no such command. */
type Verdict = 'fires' | 'waits' | 'no' | 'none';

/** A command that does not do the same for an event of a delivery before and after a change. */
export interface Difference {
  /** Position of the event in its delivery. */
  readonly event: number;
  readonly eventType: string;
  readonly command: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Fields of the command that differ, where it fires on both sides: `template`, `targetAgent`, … */
  readonly changed: readonly string[];
  /** Why it fires after the change or does not; where it is gone, why it fired before. */
  readonly reason: string;
}

interface Judged {
  readonly event: number;
  readonly eventType: string;
  readonly command: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Null for what was recorded. */
  readonly definition: WebhookCommand | null;
}

/** What one configuration decides about a delivery. */
export interface Judgement {
  readonly commands: readonly Judged[];
  /** Whether it tells a command that fires from one that waits for approval. */
  readonly tellsApproval: boolean;
}

/** What a configuration decides. */
export function judgementOf({ events }: Explanation): Judgement {
  const commands = events.flatMap(({ type, matches, inShadow }, event) =>
    matches.map(
      ({ command, fired, needsApproval, reason }): Judged => ({
        ...{ event, eventType: type, command: commandLabel(command), definition: command },
        reason: inShadow && fired ? `in shadow: ${reason}` : reason,
        verdict: fired && !inShadow ? (needsApproval ? 'waits' : 'fires') : 'no',
      }),
    ),
  );
  return { commands, tellsApproval: true };
}

/** What was decided when the delivery was worked off. Words that steer a task are no commands of the webhook. */
export function recordedJudgement(decisions: readonly Decision[]): Judgement {
  const steering: readonly string[] = RESERVED_COMMAND_NAMES;
  const commands = decisions.flatMap(({ event, eventType, command, fired, reason }): Judged[] =>
    fired && !steering.includes(command)
      ? [{ event, eventType, command, verdict: 'fires', reason, definition: null }]
      : [],
  );
  return { commands, tellsApproval: false };
}

/** The commands that two configurations decide differently. */
export function differencesBetween(before: Judgement, after: Judgement): readonly Difference[] {
  const former = new Map(before.commands.map((each) => [keyOf(each), each]));
  const latter = new Map(after.commands.map((each) => [keyOf(each), each]));
  const tellsApproval = before.tellsApproval && after.tellsApproval;
  return [...new Set([...former.keys(), ...latter.keys()])].flatMap((key) => {
    const was = former.get(key) ?? null;
    const is = latter.get(key) ?? null;
    const [told] = [is, was].filter((each) => each !== null);
    if (told === undefined) return [];
    const changed = changedFields(was, is);
    const sides = { before: was?.verdict ?? 'none', after: is?.verdict ?? 'none' } as const;
    const isSame = tellsApproval
      ? asFiring(sides.before) === asFiring(sides.after)
      : doesFire(sides.before) === doesFire(sides.after);
    if (isSame && changed.length === 0) return [];
    const { event, eventType, command, reason } = told;
    return [{ event, eventType, command, ...sides, changed, reason }];
  });
}

/** Not to fire and not to be there are the same to a sender. */
function asFiring(verdict: Verdict): Verdict {
  return verdict === 'none' ? 'no' : verdict;
}

function doesFire(verdict: Verdict): boolean {
  return verdict === 'fires' || verdict === 'waits';
}

function keyOf({ event, command }: Judged): string {
  return `${event}\n${command}`;
}

/** What a command that fires on both sides does otherwise. */
function changedFields(was: Judged | null, is: Judged | null): readonly string[] {
  if (was?.definition == null || is?.definition == null) return [];
  if (!doesFire(was.verdict) || !doesFire(is.verdict)) return [];
  const [former, latter] = [was.definition, is.definition].map(doing);
  return Object.keys(latter ?? {}).filter((field) => former?.[field] !== latter?.[field]);
}

function doing({ action, targetAgent, template, options }: WebhookCommand): Readonly<Record<string, string>> {
  return { action, targetAgent, template: template.source, options: JSON.stringify(options) };
}
