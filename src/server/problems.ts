import { commandLine } from '../lib/shell-quote.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { StoreReader } from '../store/store.ts';
import { NO_WEBHOOK, type Outgoing } from '../types.ts';

/** A state that a person should end, as `status` shows it behind `problem:` and `serve` prints it once. */
export interface LastingProblem {
  /** Kind and object, e.g. `refused:github`; unlike the text it does not change while the state lasts. */
  readonly key: string;
  /** What is wrong, how much or since when, and what to type. */
  readonly text: string;
  /** `serve` printed a line of its own when it started; only `status` repeats it. */
  readonly printed?: true;
}

interface ProblemSource {
  readonly store: StoreReader;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Finds problems in the store. Called every few seconds while serving: a few indexed reads at most. */
type ProblemCheck = (source: ProblemSource) => readonly LastingProblem[];

/** In the order in which `status` shows them. */
const CHECKS: readonly ProblemCheck[] = [backlogs, refusedRequests, unsentPosts, brokenConnections];

/** The problems that the store shows, with or without a server. */
export function storedProblems(source: ProblemSource): readonly LastingProblem[] {
  return CHECKS.flatMap((check) => check(source));
}

/** A problem whose text stays the same as long as it lasts. */
export function lastingProblem(text: string): LastingProblem {
  return { key: text, text };
}

/** How often serving looks for new problems, in milliseconds. */
const LOOK_MS = 5_000;

interface ProblemWatchOptions {
  readonly look: () => readonly LastingProblem[];
  /** Called once for each problem that was not there at the last look. */
  readonly found: (text: string) => void;
  readonly broken: (error: unknown) => void;
  readonly everyMs?: number;
}

/** Reports each problem when it appears, and again only after it was gone; those at the start count as reported. */
export function watchProblems({ look, found, broken, everyMs = LOOK_MS }: ProblemWatchOptions): {
  close(): void;
} {
  let known = new Set(look().map(({ key }) => key));
  const timer = setInterval(() => {
    try {
      const problems = look();
      for (const { key, text, printed } of problems) if (!known.has(key) && printed !== true) found(text);
      known = new Set(problems.map(({ key }) => key));
    } catch (error) {
      broken(error);
    }
  }, everyMs).unref();
  return { close: () => clearInterval(timer) };
}

/** An older refusal or failure is no news: senders that still matter have tried again, later posts were sent. */
const RECENT_MS = 24 * 60 * 60 * 1000;
/** Refusals and posts that are looked through at most. */
const MOST = 200;
/** One failed post may be a slow moment of the other side. */
const REPEATED = 3;

/** Tasks that were queued before their agent was configured: to run them all at once is for a person to decide. */
function backlogs({ store }: ProblemSource): readonly LastingProblem[] {
  return store.backlogs().map(({ agent, tasks }) => {
    const what = tasks === 1 ? '1 task was' : `${tasks.toLocaleString('en-US')} tasks were`;
    const release = commandLine('hookctl', 'task', 'release', agent);
    const cancel = commandLine('hookctl', 'task', 'cancel', '--status', 'queued', '--agent', agent);
    const text = `${what} queued for ${agent} before it was configured, and wait. Run them: ${release}. Or cancel them: ${cancel}`;
    return { key: `backlog:${agent}`, text };
  });
}

/**
 * Each endpoint whose newest requests were refused, until one is accepted there: a wrong secret or address shows nowhere
 * else while the sender only notes an error.
 */
function refusedRequests({ store, now }: ProblemSource): readonly LastingProblem[] {
  const refused = store
    .deliveries({ status: 'rejected', limit: MOST })
    .filter(({ receivedAt }) => receivedAt > now - RECENT_MS);
  return [...Map.groupBy(refused, ({ webhook }) => webhook)].flatMap(([webhook, rows]) => {
    const [last] = store.deliveries({ webhook, limit: 1 });
    if (last?.status !== 'rejected') return [];
    const count = rows.length === MOST ? `${MOST} or more` : String(rows.length);
    const requests = rows.length === 1 ? '1 request was' : `${count} requests were`;
    const whose = webhook === NO_WEBHOOK ? 'No webhook' : webhook;
    const why = shorten(escapeInvisibleLine(last.reason ?? 'of an unknown reason'), 260);
    const text = `${whose}: ${requests} refused in the last 24 h, the last because ${why}. See hookctl explain ${last.id}`;
    return [{ key: `refused:${webhook}`, text, printed: true }];
  });
}

/**
 * Each provider to which nothing gets through: posts that wait although they were tried, or several that were given up
 * with none sent since.
 */
function unsentPosts({ store, now }: ProblemSource): readonly LastingProblem[] {
  const { waiting = 0, failed = 0 } = store.countsByOutgoingStatus();
  return [
    ...(waiting === 0 ? [] : waitingPosts(store.waitingOutgoing(MOST), now)),
    ...(failed === 0 ? [] : failedPosts(store, now)),
  ];
}

function waitingPosts(items: readonly Outgoing[], now: number): readonly LastingProblem[] {
  const tried = items.filter(({ reason }) => reason !== null);
  return [...Map.groupBy(tried, ({ provider }) => provider)].flatMap(([provider, rows]) => {
    const tries = rows.reduce((sum, { attempts }) => sum + attempts, 0);
    const last = rows.find(({ attempts }) => attempts > 0) ?? rows[0];
    if (last === undefined || tries < REPEATED) return [];
    const next = new Date(Math.min(...rows.map(({ nextAttemptAt }) => nextAttemptAt))).toISOString();
    const minutes = Math.floor((now - Math.min(...rows.map(({ createdAt }) => createdAt))) / 60_000);
    const age = minutes < 1 ? '' : `, the oldest for ${minutes} min`;
    const text = `${countOf(rows.length)} for ${provider} wait${rows.length === 1 ? 's' : ''}${age}, tried ${tries} times: ${escapeInvisibleLine(last.reason ?? '')}. The next try is at ${next}. See hookctl outbox list --status waiting`;
    return [{ key: `outbox-waits:${provider}`, text }];
  });
}

function failedPosts(store: ProblemSource['store'], now: number): readonly LastingProblem[] {
  const since = now - RECENT_MS;
  const recent = store
    .outbox({ status: 'failed', limit: MOST })
    .filter(({ settledAt }) => settledAt !== null && settledAt > since);
  const sent = store.outbox({ status: 'sent', limit: MOST });
  return [...Map.groupBy(recent, ({ provider }) => provider)].flatMap(([provider, rows]) => {
    const lastSent = Math.max(
      0,
      ...sent.filter((item) => item.provider === provider).map(({ settledAt }) => settledAt ?? 0),
    );
    const lost = rows.filter(({ settledAt }) => (settledAt ?? 0) > lastSent);
    const [last] = lost;
    if (last === undefined || lost.length < REPEATED) return [];
    const text = `${countOf(lost.length)} for ${provider} failed in the last 24 h and none was sent since, the last because ${escapeInvisibleLine(last.reason ?? 'of an unknown reason')}. Send one again: hookctl outbox retry ${last.id}`;
    return [{ key: `outbox-failed:${provider}`, text }];
  });
}

/** Hooks from which no events arrive, or not those that should. */
function brokenConnections({ store }: ProblemSource): readonly LastingProblem[] {
  return store
    .connections()
    .flatMap(({ id, problem }) => (problem === null ? [] : [{ key: `connection:${id}`, text: problem }]));
}

function countOf(posts: number): string {
  return posts === 1 ? '1 post' : `${posts === MOST ? `${MOST} or more` : posts} posts`;
}
