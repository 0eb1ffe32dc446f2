import { randomBytes } from 'node:crypto';
import type { RepairOrder } from '../../actions/action.ts';
import { boundsOf } from '../../actions/repair.ts';
import { type CheckResult, checkResultIn } from '../../providers/ci/result.ts';
import { inSameRepository } from '../../providers/links/names.ts';
import type { RepairNote } from '../../store/flows.ts';
import type { Effect } from '../../store/store.ts';
import { findSubject } from '../../tasks/flows.ts';
import { changeOf } from '../../tasks/transition.ts';
import { fence } from '../../templates/view.ts';
import type { RepairBounds } from '../../types/repair.ts';
import { renderedText } from '../../types/text.ts';
import { isOwnedName, type JsonObject, ownedName, type ThreadRef, type WebhookEvent } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import type { Match } from '../match.ts';
import { type Forge, openForge, type PullRequest } from './forge.ts';
import { endOfLog, fingerprint } from './log.ts';

type RepairContext = Pick<PipelineContext, 'store' | 'clock' | 'accounts' | 'apps'>;

/** What `repair` does about an event. */
type RepairPlan =
  | { readonly kind: 'skip'; readonly reason: string }
  /** A repair that waits is no longer needed. */
  | {
      readonly kind: 'withdraw';
      readonly reason: string;
      readonly effects: readonly Effect[];
      readonly taskIds: readonly string[];
    }
  | {
      readonly kind: 'act';
      readonly order: RepairOrder;
      /** To be recorded with the task that is made. */
      readonly note: Omit<RepairNote, 'taskId'>;
      /** The event as one of the pull request. */
      readonly eventContext: EventContext;
    };

const DAY_MS = 24 * 3_600_000;

/** Decides whether the result of a check is repaired: within the command's bounds, once for each head. */
export async function planRepair(
  context: RepairContext,
  eventContext: EventContext,
  { command, allowed }: Pick<Match, 'command' | 'allowed'>,
): Promise<RepairPlan> {
  const { event, provider, delivery } = eventContext;
  const skip = (reason: string): RepairPlan => ({ kind: 'skip', reason });
  const result = checkResultIn(provider.name, event);
  if (result === null) return skip(`${event.type} tells of no result of a check`);
  if (delivery.trust === 'unverified') return skip('the delivery was not verified');
  const bounds = boundsOf(command);
  const why = outOfBounds(result, bounds) ?? (allowed ? null : 'the result is not verified');
  if (why !== null) return skip(why);
  if (result.verdict === 'green') return withdrawn(context, eventContext, result);
  const early = result.number === null ? null : pullContext(context, eventContext, result.number);
  const known = early === null ? null : repairedBefore(context, early, result);
  if (known !== null) return skip(known);

  const place = placeOf(eventContext, result.number ?? '0');
  const forge =
    place === null ? 'the payload names no repository' : await openForge(context, provider, place);
  try {
    const pull = typeof forge === 'string' ? pullIn(result) : await forge.pullRequest(result);
    if (pull === null) return skip(noPull(result, forge));
    if (pull.isFork) return skip(`the branch of ${pull.number} is a fork's`);
    if (pull.headSha !== result.sha)
      return skip(`${short(result.sha)} is not the head of ${pull.number} any more`);
    const ofPull = pullContext(context, eventContext, pull.number);
    if (!isOwnBranch(context, ofPull, pull, bounds)) {
      return skip(
        `\`branches\` does not name ${pull.branch}, and no task opened pull request ${pull.number}`,
      );
    }
    const again = repairedBefore(context, ofPull, result);
    if (again !== null) return skip(again);
    const log = typeof forge === 'string' ? null : await logOf(forge, result);
    return decide(context, ofPull, { result, pull, bounds, log });
  } finally {
    if (typeof forge !== 'string') await forge.close();
  }
}

/** Why a result is none of the command's; null when it may be. */
function outOfBounds(result: CheckResult, { checks }: RepairBounds): string | null {
  const [name = ''] = result.names;
  if (!result.names.some((each) => checks.some((pattern) => fits(pattern, each))))
    return `\`checks\` does not name ${name}`;
  if (result.verdict === 'none') return `${name} ended as ${result.conclusion}: nothing is to be repaired`;
  if (result.isFork === true) return `${name} checked a fork's commit`;
  if (result.isDefaultBranch) return `${name} checked the default branch, ${result.branch}`;
  return null;
}

/** `*` stands for any text. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return first === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/** The pull request as far as the payload tells, where the provider can't be asked. */
function pullIn({ number, headSha, branch, isFork }: CheckResult): PullRequest | null {
  if (number === null || headSha === null || branch === null || isFork !== false) return null;
  return { number, headSha, branch, isFork };
}

function noPull({ sha }: CheckResult, forge: Forge | string): string {
  return typeof forge === 'string'
    ? `the payload does not tell which pull request ${short(sha)} is the head of, and it can't be asked: ${forge}`
    : `${short(sha)} belongs to no open pull request, or to several`;
}

function short(sha: string): string {
  return sha.slice(0, 12);
}

/** The event as one of its pull request, which its check may not have named. */
function pullContext(
  { store }: RepairContext,
  eventContext: EventContext,
  number: string,
): EventContext & { readonly externalId: string } {
  const { event, provider, delivery } = eventContext;
  const mark = provider.name === 'gitlab' || provider.name === 'bitbucket' ? '!' : '#';
  const { externalId, stableIds = [] } = inSameRepository(event, mark + number) ?? {
    externalId: event.externalId ?? `${delivery.provider}:delivery/${delivery.id}`,
  };
  const about: WebhookEvent = { ...event, externalId, stableIds, payload: withPull(event.payload, number) };
  return {
    ...eventContext,
    externalId,
    event: about,
    subject: () => findSubject(store, delivery.owner, { ...about, externalId }),
  };
}

/** The payload with the number of the pull request where events about one have it. */
function withPull(payload: JsonObject, number: string): JsonObject {
  return {
    ...payload,
    pull_request: { number },
    merge_request: { ...(payload.merge_request as JsonObject | undefined), iid: number },
    pullrequest: { id: number },
  };
}

function placeOf({ event, provider }: EventContext, number: string): ThreadRef | null {
  return provider.reply?.place({ ...event, payload: withPull(event.payload, number) }) ?? null;
}

/** Named by the configuration, or of a pull request that a task opened. */
function isOwnBranch(
  { store }: RepairContext,
  { subject }: EventContext,
  { branch }: PullRequest,
  { branches }: RepairBounds,
): boolean {
  if (branches.some((pattern) => fits(pattern, branch))) return true;
  const { ownId } = subject();
  const links = [store.linkOf(ownId), ...store.linksInto(ownId)];
  return links.some((link) => /^(?:opened for|linked by) task-/.test(link?.reason ?? ''));
}

/** What a pull request is called in the records of its repairs: a rename of the repository does not change it. */
function subjectIn({ event, delivery }: EventContext): string {
  return ownedName(delivery.owner, event.stableIds?.[0] ?? event.externalId ?? '');
}

/** Why the head has been dealt with; null when it has not. */
function repairedBefore({ store }: RepairContext, pull: EventContext, result: CheckResult): string | null {
  const { sha, source, verdict } = result;
  const notes = store.repairs({ subject: subjectIn(pull) });
  const same = notes.find((note) => note.sha === sha && (note.kind === 'repair' || note.source === source));
  if (same !== undefined) {
    const what = same.kind === 'repair' ? `${same.taskId ?? 'a task'} repairs it` : 'a person was told';
    return `${short(sha)}: ${what} already`;
  }
  const end = notes.find(({ kind }) => kind === 'ended');
  return end !== undefined && verdict === 'red'
    ? `repairs of this pull request have ended: ${end.reason}`
    : null;
}

interface Failure {
  readonly result: CheckResult;
  readonly pull: PullRequest;
  readonly bounds: RepairBounds;
  readonly log: string | null;
}

function decide(
  { store, clock }: RepairContext,
  ofPull: EventContext & { readonly externalId: string },
  { result, pull, bounds, log }: Failure,
): RepairPlan {
  const subject = subjectIn(ofPull);
  const [name = ''] = result.names;
  const failure = log ?? result.summary;
  const print = fingerprint(result.source, failure);
  const done = store.repairs({ subject }).filter(({ kind }) => kind === 'repair');
  const { sha, source } = result;
  const { delivery, index } = ofPull;
  const today = store
    .repairs({ since: clock.now() - DAY_MS })
    .filter(({ kind, subject: of }) => kind === 'repair' && isOwnedName(delivery.owner, of));
  const note = { id: `${delivery.id}/${index}`, subject, sha, source, fingerprint: print, at: clock.now() };
  const say = (kind: 'said' | 'ended', reason: string): RepairPlan => ({
    kind: 'act',
    order: { kind: 'say', reason, text: said(bounds, name, sha, reason) },
    note: { ...note, kind, reason },
    eventContext: ofPull,
  });
  if (result.verdict === 'person') return say('said', `it waits for a person (${result.conclusion})`);
  if (result.verdict === 'infrastructure') {
    return say('said', `it did not fail by the code (${result.conclusion}): an agent can't repair that`);
  }
  if (done[0]?.fingerprint === print)
    return say('ended', `the same failure came again after ${done[0].taskId ?? 'its repair'}`);
  if (result.conclusion === 'timed_out' && done.some((each) => each.reason === 'timed_out')) {
    return say('ended', 'it timed out again');
  }
  if (done.length >= bounds.attempts)
    return say('ended', `${done.length} repairs did not make it green (\`attempts\`)`);
  if (today.length >= bounds.perDay)
    return say('said', `${today.length} repairs were made within 24 hours (\`perDay\`)`);
  const attempt = done.length + 1;
  return {
    kind: 'act',
    order: {
      kind: 'repair',
      title: `Repair ${name} of ${ofPull.externalId} (${attempt} of ${bounds.attempts})`,
      prompt: promptOf(ofPull, { result, pull, log: failure }, `${attempt} of ${bounds.attempts}`),
      about: { source, sha, attempt, branch: pull.branch },
      reason: `repair ${attempt} of ${bounds.attempts} of ${short(sha)}`,
    },
    note: { ...note, kind: 'repair', reason: result.conclusion },
    eventContext: ofPull,
  };
}

function said({ notify }: RepairBounds, name: string, sha: string, reason: string) {
  const whom = notify === undefined ? '' : `${notify.startsWith('@') ? '' : '@'}${notify} `;
  return renderedText(
    (printed) =>
      `${whom}hookctl does not repair ${printed(name)} of ${short(sha)}: ${reason}. A person has to look at it.`,
  );
}

function promptOf(
  { externalId, event, delivery }: EventContext & { readonly externalId: string },
  { result, pull, log }: Pick<Failure, 'result' | 'pull'> & { readonly log: string },
  attempt: string,
): string {
  const nonce = randomBytes(16).toString('hex');
  const data = (text: string, source: string) => fence(text, { source, author: delivery.provider }, nonce);
  return [
    'A check of a pull request is red. Find the cause in the code, repair it, and push to the same branch. Open no other pull request.',
    'Do not make the check weaker: leave tests, thresholds and workflows as they are, unless they are the cause.',
    'If it needs a person (a secret, a decision, a broken service), say that and change nothing.',
    '',
    `Pull request: ${data(externalId, 'pull request')}`,
    `Branch: ${data(pull.branch, 'branch')}`,
    `Commit: ${data(result.sha, 'commit')}`,
    `Check: ${data(result.names[0] ?? '', 'check')}, which ended as ${data(result.conclusion, 'conclusion')}`,
    ...(event.url === null ? [] : [`Page: ${data(event.url, 'page')}`]),
    `Attempt: ${attempt}`,
    '',
    log === '' ? 'Its log could not be read.' : `The end of its log:\n${data(log, 'log')}`,
  ].join('\n');
}

async function logOf(forge: Forge, { log }: CheckResult): Promise<string | null> {
  if (log === null) return null;
  // Without its log a failure can be repaired as well.
  const text = await forge.log(log).catch(() => null);
  return text === null ? null : endOfLog(text);
}

/** Cancels repairs of the same check and commit that have not started. */
function withdrawn(
  { store, clock }: RepairContext,
  { delivery, ids, index }: EventContext,
  { sha, source, names: [name = ''] }: CheckResult,
): RepairPlan {
  const tasks = store
    .repairs({ sha })
    .filter((note) => note.source === source && isOwnedName(delivery.owner, note.subject))
    .flatMap(({ taskId }) => (taskId === null ? [] : (store.task(taskId) ?? [])))
    .filter(({ status }) => status === 'queued' || status === 'waiting_approval');
  if (tasks.length === 0) return { kind: 'skip', reason: `${name} is green` };
  const error = `${name} is green without it.`;
  const effects = tasks.map((task): Effect => {
    const step = { event: 'cancel', to: 'cancelled' } as const;
    const source = { store, clock, ids: ids(index, '@withdraw') };
    return { kind: 'stop', change: changeOf(source, task, step, { actor: delivery.provider, error }) };
  });
  const taskIds = tasks.map(({ id }) => id);
  return {
    kind: 'withdraw',
    reason: `${name} is green: ${taskIds.join(', ')} is not needed`,
    effects,
    taskIds,
  };
}
