import type { Engine } from '../../deliveries/engine.ts';
import { HookctlError, messageOf } from '../../errors.ts';
import { said, TryLater } from '../../github-app/client.ts';
import type { GithubApp } from '../../github-app/record.ts';
import type { Permissions } from '../../github-app/tokens.ts';
import { parseJson } from '../../lib/json.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { fullJitter } from '../../lib/time.ts';
import { idAt, objectAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { answerJson, apiPath } from '../../providers/kit/reply.ts';
import type { JsonObject, Task, TaskCheck } from '../../types.ts';
import type { ServeListener } from '../events.ts';
import { type Content, contentOf, digest } from './content.ts';

interface ChecksOptions {
  readonly engine: Pick<Engine, 'context'>;
  /** Takes secrets out of what is shown. */
  readonly redact: (text: string) => string;
  /** Called with what keeps a check from being shown, once. */
  readonly problem: (text: string) => void;
  readonly broken: (error: unknown) => void;
}

/** Shows tasks as check runs on the commits that they are about, where an App is installed. */
export interface Checks {
  readonly listen: ServeListener;
  close(): Promise<void>;
}

const RIGHTS: Permissions = { checks: 'write', pull_requests: 'read' };
const BACKOFF = { baseMs: 2_000, capMs: 300_000, random: Math.random };
/** Tasks that are looked at after a start: what changed while no server ran. */
const MOST = 500;

/**
 * A check run is made of its task alone, so that only the newest state of a task is sent, one task after the other; what fails is
 * tried again. It is on record before it is made, and found again at GitHub by the task's id.
 */
export function serveChecks({ engine, redact, problem, broken }: ChecksOptions): Checks {
  const { store, apps, clock } = engine.context;
  /** Tasks to be looked at, with how often that failed. */
  const waiting = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  /** Tasks that are about no commit. */
  const without = new Set<string>();
  const told = new Set<string>();
  let isClosed = false;
  let working: Promise<void> | null = null;

  function look(taskId: string, failures = 0): void {
    if (isClosed || apps.list().length === 0 || without.has(taskId)) return;
    waiting.set(taskId, failures);
    working ??= work().finally(() => {
      working = null;
    });
  }

  async function work(): Promise<void> {
    for (let next = waiting.entries().next(); !next.done && !isClosed; next = waiting.entries().next()) {
      const [taskId, failures] = next.value;
      waiting.delete(taskId);
      try {
        await show(taskId);
      } catch (error) {
        if (!(error instanceof TryLater)) broken(error);
        const asked = error instanceof TryLater ? (error.afterMs ?? 0) : 0;
        const timer = setTimeout(
          () => {
            timers.delete(timer);
            look(taskId, failures + 1);
          },
          asked + 500 + fullJitter(failures, BACKOFF),
        );
        timers.add(timer);
      }
    }
  }

  async function show(taskId: string): Promise<void> {
    const task = store.task(taskId);
    const root = task === null ? null : (store.task(task.initiatedTaskId) ?? task);
    const app = root === null ? null : appOf(root);
    if (task === null || root === null || app === null || task.trust === 'unverified') return;
    const known = store.taskCheck(taskId);
    const content = contentOf(
      task,
      { transitions: store.transitions(task.id), cause: store.runsOfTask(task.id).at(-1)?.cause ?? null },
      redact,
    );
    const shown = `${content.status} ${content.conclusion ?? ''} ${digest(content)}`;
    if (known?.shown === shown || known?.problem != null) return;
    try {
      const { owner, repo } = placeOf(root);
      const sha = known?.sha ?? (await headOf(app, root));
      if (sha === null) return void without.add(taskId);
      const check: TaskCheck = {
        ...{ id: taskId, host: new URL(app.webUrl).host, owner, repo, sha },
        ...{ remoteId: null, shown: '', problem: null, updatedAt: clock.now() },
        ...known,
      };
      // An ended run stays as it was; a task that is tried again has another one.
      const isAgain = check.shown.startsWith('completed') && content.status !== 'completed';
      const remoteId = isAgain
        ? null
        : (check.remoteId ?? (known === null ? null : await findAt(app, check, task)));
      if (remoteId === null) await store.noteTaskCheck({ ...check, remoteId: null, shown: '' });
      const made = await send(app, check, task, { remoteId, content });
      await store.noteTaskCheck({ ...check, remoteId: made, shown, updatedAt: clock.now() });
    } catch (error) {
      if (!(error instanceof HookctlError)) throw error;
      const text = `no check can be shown on ${Object.values(placeOf(root)).join('/')}: ${messageOf(error)}`;
      if (!told.has(text)) problem(text);
      told.add(text);
    }
  }

  function appOf({ source, sourceMetadata }: Task): GithubApp | null {
    const place = objectAt(sourceMetadata, 'reply', 'place');
    return source === 'github' && place !== null && placeOf({ sourceMetadata }).owner !== ''
      ? apps.of(textAt(place, 'host'))
      : null;
  }

  async function ask(
    app: GithubApp,
    { owner, repo }: Place,
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object,
  ) {
    const { value } = await apps.token(app, { owner, repo }, RIGHTS);
    const call = { method, path: apiPath('repos', owner, repo) + path, ...(body !== undefined && { body }) };
    const answer = await apps.client.call(app, call, value);
    if (answer.status < 300) return answerJson(answer);
    if (answer.status === 401) {
      apps.refused(app, value);
      throw new TryLater(said(answer), 1_000);
    }
    throw new HookctlError('github_app', 1, said(answer));
  }

  /** The commit that a task is about: as its delivery tells, or the head of its pull request. Null when it is about none. */
  async function headOf(app: GithubApp, root: Task): Promise<string | null> {
    const body = root.deliveryId === null ? null : store.body(root.deliveryId);
    const parsed = body === null ? null : parseJson(body);
    const payload: JsonObject = parsed?.ok === true ? parsed.value : {};
    const told = HEADS.map((path) => textAt(payload, ...path)).find((sha) =>
      /^[0-9a-f]{40,64}$/.test(sha ?? ''),
    );
    if (told != null) return /^0+$/.test(told) ? null : told;
    const number =
      objectAt(payload, 'issue', 'pull_request') === null ? null : idAt(payload, 'issue', 'number');
    if (number === null) return null;
    return textAt(await ask(app, placeOf(root), 'GET', apiPath('pulls', number)), 'head', 'sha');
  }

  /** The run that a lost answer made. */
  async function findAt(app: GithubApp, check: TaskCheck, task: Task): Promise<string | null> {
    const query = `?filter=all&per_page=100&app_id=${app.id}&check_name=${encodeURIComponent(nameOf(task))}`;
    const found = await ask(app, check, 'GET', `${apiPath('commits', check.sha, 'check-runs')}${query}`);
    const mine = objectsAt(found, 'check_runs').find(
      (run) => textAt(run, 'external_id') === task.id && textAt(run, 'status') !== 'completed',
    );
    return idAt(mine, 'id');
  }

  async function send(
    app: GithubApp,
    check: TaskCheck,
    task: Task,
    { remoteId, content }: { readonly remoteId: string | null; readonly content: Content },
  ): Promise<string | null> {
    if (remoteId !== null) {
      await ask(app, check, 'PATCH', apiPath('check-runs', remoteId), content);
      return remoteId;
    }
    const fixed = { name: nameOf(task), head_sha: check.sha, external_id: task.id };
    const link = task.url === null ? {} : { details_url: task.url };
    return idAt(
      await ask(app, check, 'POST', apiPath('check-runs'), { ...fixed, ...link, ...content }),
      'id',
    );
  }

  for (const status of ['waiting_approval', 'queued', 'running', 'waiting_answer'] as const)
    for (const { id } of store.tasks({ status, limit: MOST })) look(id);
  for (const { id } of store.unendedChecks(MOST)) look(id);

  return {
    listen(event) {
      if (event.type === 'task') look(event.task.id);
      if (event.type === 'delivery') for (const { id } of event.result.tasks) look(id);
    },
    async close() {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      await working;
    },
  };
}

/** Where payloads name the commit that they are about. */
const HEADS: readonly (readonly string[])[] = [
  ['pull_request', 'head', 'sha'],
  ['check_run', 'head_sha'],
  ['check_suite', 'head_sha'],
  ['workflow_run', 'head_sha'],
  ['workflow_job', 'head_sha'],
  ['sha'],
  ['after'],
];

interface Place {
  readonly owner: string;
  readonly repo: string;
}

function placeOf({ sourceMetadata }: Pick<Task, 'sourceMetadata'>): Place {
  const at = (field: string) => textAt(sourceMetadata, 'reply', 'place', field) ?? '';
  return { owner: at('owner'), repo: at('repo') };
}

function nameOf({ command, agent }: Task): string {
  return `hookctl / ${escapeInvisibleLine(command ?? agent)}`;
}
