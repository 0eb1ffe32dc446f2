import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ExitCode, HookctlError } from '../errors.ts';

/** An error answer (RFC 9457): `code` is stable, `detail` says what happened, `fix` what to do. */
export function problem(
  context: Context,
  status: ContentfulStatusCode,
  code: string,
  detail: string,
  fix: string | null = null,
): Response {
  const body = {
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail,
    ...(fix && { fix }),
  };
  return context.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}

/** The answer for something thrown: foreseen failures keep their words, the rest says as little as it must. */
export function problemOf(context: Context, error: unknown): Response {
  if (!(error instanceof HookctlError))
    return problem(context, 500, 'internal', 'something broke; see the log of serve');
  return problem(context, STATUS[error.exitCode], error.code, error.message, error.fix);
}

const STATUS: Readonly<Record<ExitCode, ContentfulStatusCode>> = { 0: 500, 1: 409, 2: 400, 3: 422, 4: 404 };
