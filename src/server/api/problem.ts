import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ConfigError, type ConfigProblem, type ExitCode, HookctlError } from '../../errors.ts';

/** What else an error answer may say. */
interface ProblemFacts {
  readonly fix?: string | null;
  /** Each mistake in what was sent, with its field. */
  readonly problems?: readonly ConfigProblem[];
}

/** An error answer (RFC 9457): `code` is stable, `detail` says what happened, `fix` what to do. */
export function problem(
  context: Context,
  status: ContentfulStatusCode,
  code: string,
  detail: string,
  { fix, problems }: ProblemFacts = {},
): Response {
  const body = {
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail,
    ...(fix && { fix }),
    ...(problems && { problems }),
  };
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}

/** The answer for something thrown: foreseen failures keep their words, the rest says as little as it must. */
export function problemOf(context: Context, error: unknown): Response {
  if (!(error instanceof HookctlError))
    return problem(context, 500, 'internal', 'something broke; see the log of serve');
  return problem(context, STATUS[error.exitCode], error.code, error.message, {
    fix: error.fix,
    ...(error instanceof ConfigError && { problems: error.problems }),
  });
}

const STATUS: Readonly<Record<ExitCode, ContentfulStatusCode>> = { 0: 500, 1: 409, 2: 400, 3: 422, 4: 404 };
