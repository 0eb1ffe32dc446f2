import type { GithubApps } from '../../github-app/apps.ts';
import { getPath, isJsonObject, parseJson } from '../../lib/json.ts';
import { createTransport, type Transport } from '../../outbox/transport.ts';
import type { CheckResult, LogPlace } from '../../providers/ci/result.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import type { Account, JsonValue, Provider, ThreadRef } from '../../types.ts';
import type { PipelineContext } from '../context.ts';

/** An open pull request as the provider tells of it now. */
export interface PullRequest {
  readonly number: string;
  readonly headSha: string;
  readonly branch: string;
  readonly isFork: boolean;
}

/** Asks the provider of a repository. */
export interface Forge {
  /** The open pull request of a result. Null when there is none, or several. */
  pullRequest(
    result: Pick<CheckResult, 'number' | 'sha' | 'repository' | 'branch'>,
  ): Promise<PullRequest | null>;
  /** The log of what failed. Null when the provider gives none. */
  log(place: LogPlace): Promise<string | null>;
  close(): Promise<void>;
}

/** Bytes of a log that is read; a longer one is left out. */
const MOST_LOG_BYTES = 20_000_000;
/** Jobs of one run whose logs are read. */
const MOST_JOBS = 3;

/** Opens it with the App's or the token's rights. A text says why there is no account. */
export async function openForge(
  { accounts, apps }: Pick<PipelineContext, 'accounts' | 'apps'>,
  provider: Provider,
  place: ThreadRef,
): Promise<Forge | string> {
  const account =
    (provider.name === 'github' ? await accountOfApp(apps, place) : null) ??
    accounts.byProvider.get(provider.name);
  const { reply } = provider;
  if (account === undefined || reply === undefined)
    return accounts.missing.get(provider.name) ?? `hookctl has no account for ${provider.label}`;
  const transport = createTransport({ maxAnswerBytes: MOST_LOG_BYTES });
  const ask = asker(transport, account, reply.authorize(account));
  const close = transport.close;
  switch (provider.name) {
    case 'github':
      return { ...githubForge(ask, `/repos/${place.owner}/${place.repo}`), close };
    case 'gitlab':
      return { ...gitlabForge(ask), close };
    case 'bitbucket':
      return { ...bitbucketForge(ask, `/2.0/repositories/${place.workspace}/${place.repo}`), close };
    default:
      return { pullRequest: async () => null, log: async () => null, close };
  }
}

async function accountOfApp(
  apps: GithubApps,
  { host, owner = null, repo = null }: ThreadRef,
): Promise<Account | null> {
  const app = apps.of(host);
  if (app === null || owner === null || repo === null) return null;
  const wanted = { actions: 'read', checks: 'read', pull_requests: 'read' } as const;
  // Without these permissions the token of an account may do.
  const token = await apps.token(app, { owner, repo }, wanted).catch(() => null);
  if (token === null) return null;
  const { apiUrl: baseUrl, privateNetwork } = app;
  return { provider: 'github', baseUrl, token: token.value, user: null, privateNetwork };
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
}

type Ask = (path: string, isForeign?: boolean) => Promise<Answered>;

/** `isForeign`: a whole address on another host, which gets no token. */
function asker(
  transport: Transport,
  { baseUrl, privateNetwork }: Account,
  authorization: Readonly<Record<string, string>>,
): Ask {
  return async (path, isForeign = false) => {
    const { status, headers, text } = await transport.send({
      method: 'GET',
      url: isForeign ? path : baseUrl + path,
      headers: { 'user-agent': 'hookctl', accept: 'application/json', ...(isForeign ? {} : authorization) },
      body: null,
      privateNetwork,
    });
    if (status >= 500 || status === 429) throw new Error(`${new URL(baseUrl).host} answered ${status}`);
    return { status, text, location: headers.location ?? null };
  };
}

async function jsonAt(ask: Ask, path: string): Promise<JsonValue | undefined> {
  const { status, text } = await ask(path);
  if (status !== 200) return undefined;
  // A list at the top, as an object that holds it.
  const parsed = parseJson(Buffer.from(text.trimStart().startsWith('[') ? `{"list":${text}}` : text));
  return parsed.ok ? parsed.value : undefined;
}

function githubForge(ask: Ask, repository: string): Omit<Forge, 'close'> {
  function read(pull: JsonValue | undefined): PullRequest | null {
    const number = idAt(pull, 'number');
    const headSha = textAt(pull, 'head', 'sha');
    if (number === null || headSha === null || textAt(pull, 'state') !== 'open') return null;
    const isFork = idAt(pull, 'head', 'repo', 'id') !== idAt(pull, 'base', 'repo', 'id');
    return { number, headSha, branch: textAt(pull, 'head', 'ref') ?? '', isFork };
  }
  return {
    async pullRequest({ number, sha }) {
      if (number !== null)
        return read(await jsonAt(ask, `${repository}/pulls/${encodeURIComponent(number)}`));
      const found = await jsonAt(ask, `${repository}/commits/${encodeURIComponent(sha)}/pulls`);
      const open = objectsAt(found, 'list').flatMap((pull) => read(pull) ?? []);
      return open.length === 1 ? (open[0] ?? null) : null;
    },
    async log(place) {
      if (place.kind !== 'workflow') return null;
      const { runId, attempt } = place;
      const jobs = objectsAt(
        await jsonAt(ask, `${repository}/actions/runs/${runId}/attempts/${attempt}/jobs?per_page=100`),
        'jobs',
      ).filter((job) => /^(?:failure|timed_out)$/.test(textAt(job, 'conclusion') ?? ''));
      const logs: string[] = [];
      for (const job of jobs.slice(0, MOST_JOBS)) {
        const step = objectsAt(job, 'steps').find((each) => textAt(each, 'conclusion') === 'failure');
        const text = await followed(ask, `${repository}/actions/jobs/${idAt(job, 'id')}/logs`);
        logs.push(`job ${textAt(job, 'name')}, step ${textAt(step, 'name') ?? '(not named)'}\n${text ?? ''}`);
      }
      return logs.length === 0 ? null : logs.join('\n\n');
    },
  };
}

/** Logs of GitHub and Bitbucket are on another host, for a while. */
async function followed(ask: Ask, path: string): Promise<string | null> {
  const first = await ask(path);
  const isElsewhere = [302, 307].includes(first.status) && /^https?:\/\//.test(first.location ?? '');
  const { status, text } = isElsewhere ? await ask(first.location ?? '', true) : first;
  return status === 200 ? text : null;
}

function gitlabForge(ask: Ask): Omit<Forge, 'close'> {
  return {
    async pullRequest({ number, repository, branch }) {
      const project = `/projects/${encodeURIComponent(repository.split('/').at(-1) ?? '')}/merge_requests`;
      const path =
        number === null
          ? `${project}?state=opened&source_branch=${encodeURIComponent(branch ?? '')}`
          : `${project}/${encodeURIComponent(number)}`;
      const answer = await jsonAt(ask, path);
      const list = number === null ? objectsAt(answer, 'list') : isJsonObject(answer) ? [answer] : [];
      const [found] = list.length === 1 ? list : [];
      const iid = idAt(found, 'iid');
      const headSha = textAt(found, 'sha');
      if (iid === null || headSha === null || textAt(found, 'state') !== 'opened') return null;
      const [source, target] = ['source_project_id', 'target_project_id'].map((key) => getPath(found, [key]));
      return {
        number: iid,
        headSha,
        branch: textAt(found, 'source_branch') ?? '',
        isFork: source !== target,
      };
    },
    async log(place) {
      if (place.kind !== 'jobs') return null;
      const logs: string[] = [];
      for (const id of place.jobIds.slice(0, MOST_JOBS)) {
        const { status, text } = await ask(`/projects/${place.projectId}/jobs/${id}/trace`);
        if (status === 200) logs.push(text);
      }
      return logs.length === 0 ? null : logs.join('\n\n');
    },
  };
}

/**
 * Bitbucket Cloud, which tells short hashes of the heads of pull requests. Source: developer.atlassian.com, "The Bitbucket Cloud REST
 * API", pull requests and pipelines.
 */
function bitbucketForge(ask: Ask, repository: string): Omit<Forge, 'close'> {
  function read(pull: JsonValue | undefined, sha: string): PullRequest | null {
    const number = idAt(pull, 'id');
    const head = textAt(pull, 'source', 'commit', 'hash') ?? '';
    if (number === null || !/^[0-9a-f]{7,}$/.test(head) || textAt(pull, 'state') !== 'OPEN') return null;
    const [from = null, to = null] = ['source', 'destination'].map((side) =>
      idAt(pull, side, 'repository', 'uuid'),
    );
    return {
      number,
      headSha: sha.startsWith(head) ? sha : head,
      branch: textAt(pull, 'source', 'branch', 'name') ?? '',
      isFork: from === null || from !== to,
    };
  }
  return {
    async pullRequest({ branch, sha }) {
      const named = `state = "OPEN" AND source.branch.name = ${JSON.stringify(branch ?? '')}`;
      const path =
        branch === null
          ? `${repository}/commit/${encodeURIComponent(sha)}/pullrequests`
          : `${repository}/pullrequests?q=${encodeURIComponent(named)}`;
      const open = objectsAt(await jsonAt(ask, path), 'values').flatMap((pull) => read(pull, sha) ?? []);
      const heads = branch === null ? open.filter(({ headSha }) => headSha === sha) : open;
      return heads.length === 1 ? (heads[0] ?? null) : null;
    },
    async log(place) {
      if (place.kind !== 'pipeline') return null;
      const pipeline = `${repository}/pipelines/${place.number}/steps/`;
      const failed = objectsAt(await jsonAt(ask, pipeline), 'values').filter(
        (step) => textAt(step, 'state', 'result', 'name') === 'FAILED',
      );
      const logs: string[] = [];
      for (const step of failed.slice(0, MOST_JOBS)) {
        const text = await followed(ask, `${pipeline}${encodeURIComponent(idAt(step, 'uuid') ?? '')}/log`);
        if (text !== null) logs.push(`step ${textAt(step, 'name') ?? '(not named)'}\n${text}`);
      }
      return logs.length === 0 ? null : logs.join('\n\n');
    },
  };
}
