import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { z } from 'zod';
import type { CommonOptions, LogLine } from '../../agents/runner.ts';
import { routeOf } from '../../agents/scheduler/places.ts';
import type { Repositories } from '../../config/project/repositories.ts';
import type { GithubApps } from '../../github-app/apps.ts';
import { TryLater } from '../../github-app/client.ts';
import { secret } from '../../lib/redact/redact.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { RunScope } from '../../mcp/scope.ts';
import { PACKAGE_ROOT } from '../../package-root.ts';
import type { StoreReader } from '../../store/store.ts';
import type { ManagementEnv } from './guard.ts';
import { problem, readBody } from './route.ts';

type GithubOption = CommonOptions['github'];

/** How git in a run gets tokens of the App: settings of git, in variables that hold no secret. Empty where it gets none. */
export function gitSettings(
  option: GithubOption,
  apps: Pick<GithubApps, 'list'>,
  inherited: string | undefined,
): Readonly<Record<string, string>> {
  if (option === false) return {};
  const helper = `!${shellQuote(process.execPath)} ${shellQuote(fileURLToPath(new URL('bin/hookctl.js', PACKAGE_ROOT)))} git-credential`;
  const first = /^\d{1,3}$/.test(inherited ?? '') ? Number(inherited) : 0;
  const settings = apps.list().flatMap(({ webUrl }) => [
    // Empty: a user's own helper would store the token, or answer with another one.
    [`credential.${webUrl}.helper`, ''],
    [`credential.${webUrl}.helper`, helper],
    [`credential.${webUrl}.useHttpPath`, 'true'],
  ]);
  if (settings.length === 0) return {};
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(first + settings.length)],
    ...settings.flatMap(([key = '', value = ''], index) => [
      [`GIT_CONFIG_KEY_${first + index}`, key],
      [`GIT_CONFIG_VALUE_${first + index}`, value],
    ]),
  ]);
}

export interface GitParts {
  readonly apps: GithubApps;
  readonly store: Pick<StoreReader, 'task'>;
  readonly repositories: Repositories;
  /** `github` of an agent's settings. */
  readonly optionOf: (agent: string) => GithubOption;
  readonly runs: { reported(runId: string, line: LogLine): void };
}

/** What git tells its helper; it may tell more at any time. */
const Question = z.strictObject({
  action: z.enum(['get', 'erase']),
  protocol: z.string(),
  host: z.string(),
  path: z.string().default(''),
  password: z.string().optional(),
});

/** git asks once in a command, and a push may take long. */
const LEFT_MS = 20 * 60_000;
/** `acme/api`, `acme/api.git`, and Git LFS below it. */
const PATH = /^([\w.-]+)\/([\w.-]+?)(?:\.git)?(?:\/info\/lfs.*)?\/?$/;

/**
 * `POST /hooks/git/:run`: the credential helper of a run's git, only with the token of that very run. The token is for the repository
 * that its task came from or is for, or one that the agent's settings name.
 */
export function gitCredentialRoutes({
  apps,
  store,
  repositories,
  optionOf,
  runs,
}: GitParts): Hono<ManagementEnv> {
  function allowed({ agent, taskId }: RunScope, host: string): ReadonlySet<string> {
    const option = optionOf(agent);
    const task = store.task(taskId);
    const root = task === null ? null : (store.task(task.initiatedTaskId) ?? task);
    const own = root?.source === 'github' ? repositoryIn(root.externalId, host) : [];
    const route = task === null ? null : routeOf({ store, repositories }, task);
    const routed =
      route?.kind === 'checkouts'
        ? route.checkouts.flatMap(({ names }) =>
            names.flatMap((name) => repositoryIn(`github:${name}`, host)),
          )
        : [];
    const named = typeof option === 'object' ? option.repositories : [];
    return new Set([...own, ...routed, ...named].map((each) => each.toLowerCase()));
  }

  return new Hono<ManagementEnv>().post('/hooks/git/:run', async (context) => {
    const caller = context.get('caller');
    const scope = caller.kind === 'run' ? caller.run : null;
    const runId = context.req.param('run');
    if (scope?.runId !== runId)
      return problem(context, 403, 'run_token', 'this takes the token of its run alone');
    const { action, protocol, host, path, password } = await readBody(Question, context);
    const app = apps.list().find(({ webUrl }) => webUrl === `${protocol}://${host}`);
    if (app === undefined || optionOf(scope.agent) === false)
      return problem(context, 404, 'no_app', `there is no GitHub App for ${host} here`);
    if (action === 'erase') {
      if (password !== undefined) apps.drop(secret(password));
      return context.json({});
    }
    const [, owner = '', repo = ''] = PATH.exec(path) ?? [];
    const mine = allowed(scope, host);
    if (!mine.has(`${owner}/${repo}`.toLowerCase())) {
      const list = [...mine].join(', ') || 'none: the task came from no repository on GitHub';
      return problem(
        context,
        403,
        'not_yours',
        `the agent gets no token for ${path || host}; it gets them for: ${list}`,
        {
          fix: `Let it: agents: ${scope.agent}: github: { repositories: [owner/name] }`,
        },
      );
    }
    try {
      const { value } = await apps.token(app, { owner, repo }, { contents: 'write' }, LEFT_MS);
      runs.reported(runId, { kind: 'note', text: `git gets a token for ${owner}/${repo}` });
      return context.json({ username: 'x-access-token', password: value.reveal() });
    } catch (error) {
      if (!(error instanceof TryLater)) throw error;
      return problem(context, 503, 'later', error.message, { fix: 'Try again later.' });
    }
  });
}

/** The repository of `github:acme/api#42`; another host than github.com is named before it. */
function repositoryIn(externalId: string, host: string): readonly string[] {
  const [, name = ''] = /^github:(.*)$/.exec(externalId) ?? [];
  const place = name.startsWith(`${host}/`) ? name.slice(host.length + 1) : name;
  return /^[\w.-]+\/[\w.-]+/.exec(place) ?? [];
}
