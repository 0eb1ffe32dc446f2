import type { JsonObject, WebhookEvent } from '../../types.ts';
import { hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/**
 * What a result asks for. `red`: an agent can repair it. `infrastructure` and `person`: it is red, and a person has to look.
 * `none`: neither red nor green (cancelled, skipped, neutral, stale).
 */
type Verdict = 'green' | 'red' | 'infrastructure' | 'person' | 'none';

/** Where the log of what failed is. */
export type LogPlace =
  | { readonly kind: 'workflow'; readonly runId: string; readonly attempt: string }
  | { readonly kind: 'pipeline'; readonly number: string }
  | { readonly kind: 'jobs'; readonly projectId: string; readonly jobIds: readonly string[] };

/** The result of a check, run, pipeline, build or deployment, in common terms. */
export interface CheckResult {
  /** What reports it, unique in its repository: `workflow .github/workflows/ci.yml`, `check ci of circleci`. */
  readonly source: string;
  /** Names by which configuration calls it. */
  readonly names: readonly string[];
  readonly sha: string;
  /** Null when the payload does not say. */
  readonly branch: string | null;
  /** The number of its pull request. Null when the payload names none, or several. */
  readonly number: string | null;
  /** The present head of that pull request. Null when the payload does not say. */
  readonly headSha: string | null;
  /** Its commit is in another repository. Null when the payload does not say. */
  readonly isFork: boolean | null;
  readonly isDefaultBranch: boolean;
  readonly conclusion: string;
  readonly verdict: Verdict;
  /** `1`, `2`, … where it is run again under the same id; empty elsewhere. */
  readonly attempt: string;
  /** `github.com/1296269`: its host and repository. */
  readonly repository: string;
  readonly log: LogPlace | null;
  /** What the payload itself says of the failure. */
  readonly summary: string;
}

/** By the conclusions of checks and runs, states of statuses and deployments, statuses of pipelines and builds. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  success: 'green',
  successful: 'green',
  failure: 'red',
  failed: 'red',
  timed_out: 'red',
  action_required: 'person',
  waiting: 'person',
  startup_failure: 'infrastructure',
  error: 'infrastructure',
};

/** Not finished: there is no result yet. */
const UNFINISHED =
  /^(?:|pending|queued|in_?progress|running|requested|created|preparing|scheduled|waiting_for_\w+|canceling|manual|inactive)$/;

/**
 * The result that an event tells of; null for every other event, and while it is not finished. Source: octokit/webhooks (`check_run`,
 * `check_suite`, `workflow_run`, `status`, `deployment_status`); docs.gitlab.com, "Pipeline events"; support.atlassian.com, "Build
 * status created".
 */
export function checkResultIn(provider: string, { type, payload }: WebhookEvent): CheckResult | null {
  const [name = '', action] = type.split('.');
  // `rerequested` tells the result of before.
  if (/^(?:check_|workflow_)/.test(name) && action !== 'completed') return null;
  const key = `${provider} ${name}`;
  const read = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
  const result = read?.(payload) ?? null;
  return result === null || result.sha === '' || UNFINISHED.test(result.conclusion) ? null : result;
}

/** The key of a result: however often and in whichever words it is told, it is one. Null for other events. */
export function checkKey(provider: string, event: WebhookEvent): string | null {
  const result = checkResultIn(provider, event);
  if (result === null) return null;
  const { repository, sha, source, attempt, conclusion } = result;
  return ['ci', repository, sha, source, attempt, conclusion].join('|');
}

function github(
  payload: JsonObject,
  key: string,
  more: Pick<CheckResult, 'source' | 'names' | 'conclusion'> & Partial<CheckResult>,
): CheckResult {
  const thing = objectAt(payload, key);
  const repository = idAt(payload, 'repository', 'id');
  const pulls = [
    ...objectsAt(thing, 'pull_requests'),
    ...objectsAt(thing, 'check_suite', 'pull_requests'),
  ].filter((pull) => (idAt(pull, 'base', 'repo', 'id') ?? repository) === repository);
  const numbers = [...new Set(pulls.map((pull) => idAt(pull, 'number')))];
  const number = numbers.length === 1 ? (numbers[0] ?? null) : null;
  const [pull] = number === null ? [] : pulls;
  const branch = textAt(thing, 'head_branch') ?? textAt(thing, 'check_suite', 'head_branch');
  const heads = [idAt(thing, 'head_repository', 'id'), idAt(pull, 'head', 'repo', 'id')];
  const head = heads.find((id) => id !== null) ?? null;
  // Checks of a fork's commit name neither branch nor pull request.
  const isFork =
    head !== null ? head !== repository : branch === null ? key.startsWith('check_') || null : null;
  return {
    sha: textAt(thing, 'head_sha') ?? '',
    ...{ branch, number, isFork },
    headSha: textAt(pull, 'head', 'sha'),
    isDefaultBranch: branch !== null && branch === textAt(payload, 'repository', 'default_branch'),
    verdict: VERDICTS[more.conclusion] ?? 'none',
    attempt: '',
    repository: `${hostOf(textAt(payload, 'repository', 'html_url')) ?? 'github.com'}/${repository ?? ''}`,
    log: null,
    summary: '',
    ...more,
  };
}

const lower = (text: string | null) => (text ?? '').toLowerCase();

type Reader = (payload: JsonObject) => CheckResult | null;

/** By provider and event. */
const READERS: Readonly<Record<string, Reader>> = {
  'github check_run'(payload) {
    const run = objectAt(payload, 'check_run');
    const [name, app] = [textAt(run, 'name') ?? '', textAt(run, 'app', 'slug') ?? ''];
    // Jobs of Actions are told once, as a whole, by their workflow run.
    if (app === 'github-actions') return null;
    const words = ['title', 'summary', 'text'].map((key) => textAt(run, 'output', key) ?? '');
    return github(payload, 'check_run', {
      source: `check ${name} of ${app}`,
      names: [name],
      conclusion: lower(textAt(run, 'conclusion')),
      summary: words.join('\n').trim(),
    });
  },
  'github check_suite'(payload) {
    const app = textAt(payload, 'check_suite', 'app', 'slug') ?? '';
    if (app === 'github-actions') return null;
    const conclusion = lower(textAt(payload, 'check_suite', 'conclusion'));
    return github(payload, 'check_suite', { source: `suite of ${app}`, names: [app], conclusion });
  },
  'github workflow_run'(payload) {
    const run = objectAt(payload, 'workflow_run');
    const path = (textAt(run, 'path') ?? '').replace(/@.*$/, '');
    const file = path.split('/').at(-1) ?? '';
    const attempt = idAt(run, 'run_attempt') ?? '1';
    const runId = idAt(run, 'id');
    return github(payload, 'workflow_run', {
      source: `workflow ${path || textAt(run, 'name')}`,
      names: [textAt(run, 'name') ?? '', path, file].filter((name) => name !== ''),
      conclusion: lower(textAt(run, 'conclusion')),
      attempt,
      log: runId === null ? null : { kind: 'workflow', runId, attempt },
    });
  },
  'github status'(payload) {
    const context = textAt(payload, 'context') ?? '';
    const sha = textAt(payload, 'sha') ?? '';
    // A branch may hold the commit without it being its head.
    const heads = objectsAt(payload, 'branches').filter((each) => textAt(each, 'commit', 'sha') === sha);
    const branch = heads.length === 1 ? textAt(heads[0], 'name') : null;
    return github(payload, 'commit', {
      source: `status ${context}`,
      names: [context],
      sha,
      branch,
      isDefaultBranch: heads.some(
        (each) => textAt(each, 'name') === textAt(payload, 'repository', 'default_branch'),
      ),
      conclusion: lower(textAt(payload, 'state')),
      summary: textAt(payload, 'description') ?? '',
    });
  },
  'github deployment_status'(payload) {
    const environment = textAt(payload, 'deployment', 'environment') ?? '';
    const conclusion = lower(textAt(payload, 'deployment_status', 'state'));
    const ref = textAt(payload, 'deployment', 'ref');
    return github(payload, 'deployment', {
      source: `deployment to ${environment}`,
      names: [environment],
      sha: textAt(payload, 'deployment', 'sha') ?? '',
      branch: ref,
      isDefaultBranch: ref === textAt(payload, 'repository', 'default_branch'),
      conclusion,
      verdict: /^(?:failure|error)$/.test(conclusion) ? 'infrastructure' : (VERDICTS[conclusion] ?? 'none'),
      summary: textAt(payload, 'deployment_status', 'description') ?? '',
    });
  },
  'gitlab pipeline'(payload) {
    const own = objectAt(payload, 'object_attributes');
    const failed = objectsAt(payload, 'builds').filter(
      (build) => textAt(build, 'status') === 'failed' && build.allow_failure !== true,
    );
    const request = objectAt(payload, 'merge_request');
    const ids = [idAt(request, 'source_project_id'), idAt(request, 'target_project_id')];
    const projectId = idAt(payload, 'project', 'id') ?? '';
    const reasons = failed.map((build) => textAt(build, 'failure_reason') ?? 'script_failure');
    const isOwnFault = reasons.length === 0 || reasons.includes('script_failure');
    const conclusion = lower(textAt(own, 'status'));
    const branch = textAt(request, 'source_branch') ?? textAt(own, 'ref');
    const verdict = VERDICTS[conclusion] ?? 'none';
    return {
      source: 'pipeline',
      names: ['pipeline', ...failed.map((build) => textAt(build, 'name') ?? '')],
      sha: textAt(own, 'sha') ?? '',
      branch,
      number: idAt(request, 'iid'),
      headSha: null,
      isFork: request === null ? null : ids[0] !== ids[1],
      isDefaultBranch: branch === textAt(payload, 'project', 'default_branch'),
      conclusion,
      verdict: verdict === 'red' && !isOwnFault ? 'infrastructure' : verdict,
      attempt: idAt(own, 'id') ?? '',
      repository: `${hostOf(textAt(payload, 'project', 'web_url')) ?? 'gitlab.com'}/${projectId}`,
      log: { kind: 'jobs', projectId, jobIds: failed.flatMap((build) => idAt(build, 'id') ?? []) },
      summary: failed.map((build, index) => `${textAt(build, 'name')}: ${reasons[index]}`).join('\n'),
    };
  },
  'gitlab build'(payload) {
    const name = textAt(payload, 'build_name') ?? '';
    const conclusion = lower(textAt(payload, 'build_status'));
    const reason = textAt(payload, 'build_failure_reason') ?? 'script_failure';
    const projectId = idAt(payload, 'project_id') ?? idAt(payload, 'project', 'id') ?? '';
    const jobId = idAt(payload, 'build_id') ?? '';
    const branch = payload.tag === true ? null : textAt(payload, 'ref');
    const verdict = VERDICTS[conclusion] ?? 'none';
    const isFailed = verdict === 'red';
    return {
      source: `job ${name}`,
      names: [name],
      sha: textAt(payload, 'sha') ?? '',
      branch,
      ...{ number: null, headSha: null, isFork: null },
      isDefaultBranch: branch !== null && branch === textAt(payload, 'project', 'default_branch'),
      conclusion,
      // A job that may fail leaves the pipeline green; the rest did not fail by the code.
      verdict:
        isFailed && payload.build_allow_failure === true
          ? 'none'
          : isFailed && reason !== 'script_failure'
            ? 'infrastructure'
            : verdict,
      attempt: jobId,
      repository: `${hostOf(textAt(payload, 'project', 'web_url') ?? textAt(payload, 'repository', 'homepage')) ?? 'gitlab.com'}/${projectId}`,
      log: isFailed ? { kind: 'jobs', projectId, jobIds: [jobId] } : null,
      summary: isFailed ? `${name}: ${reason}` : '',
    };
  },
  'bitbucket repo:commit_status_created': bitbucket,
  'bitbucket repo:commit_status_updated': bitbucket,
};

function bitbucket(payload: JsonObject): CheckResult {
  const status = objectAt(payload, 'commit_status');
  const [key, name] = [textAt(status, 'key') ?? '', textAt(status, 'name') ?? ''];
  const branch = textAt(status, 'refname');
  const conclusion = lower(textAt(status, 'state'));
  const commit =
    textAt(status, 'commit', 'hash') ??
    /\/commit\/([0-9a-f]+)$/.exec(textAt(status, 'links', 'commit', 'href') ?? '')?.[1] ??
    '';
  // The page of a run of Bitbucket's own Pipelines.
  const run = /\/pipelines\/.*?\bresults\/(\d+)/.exec(textAt(status, 'url') ?? '')?.[1];
  return {
    source: `build ${key}`,
    names: [key, name].filter((each) => each !== ''),
    sha: commit,
    branch,
    ...{ number: null, headSha: null, isFork: null },
    isDefaultBranch: branch !== null && branch === textAt(payload, 'repository', 'mainbranch', 'name'),
    conclusion,
    verdict: VERDICTS[conclusion] ?? 'none',
    attempt: '',
    repository: `bitbucket.org/${idAt(payload, 'repository', 'uuid') ?? ''}`,
    log: run === undefined ? null : { kind: 'pipeline', number: run },
    summary: textAt(status, 'description') ?? '',
  };
}
