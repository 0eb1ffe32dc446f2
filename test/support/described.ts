import { problem } from '../../src/server/openapi/answers.ts';
import type { Operation } from '../../src/server/openapi/operation.ts';
import { operations } from '../../src/server/openapi/operations.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const byPath = operations.map((operation) => ({
  operation,
  path: new RegExp(`^/api${operation.path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
}));

/** The operation that the OpenAPI document has for a request. Where two paths fit, that without a parameter. */
function operationFor(method: string, path: string): Operation | undefined {
  const fitting = byPath.filter(
    ({ operation, path: pattern }) => operation.method === method.toLowerCase() && pattern.test(path),
  );
  return fitting.toSorted((left, right) => parameters(left.operation) - parameters(right.operation))[0]
    ?.operation;
}

const parameters = ({ path }: Operation) => path.split(':').length;

/** Throws when the API answers otherwise than its OpenAPI document says. */
export function requireDescribed(method: string, target: string, { status, headers, text }: Answer): void {
  const path = target.split('?', 1)[0] ?? '';
  if (!path.startsWith('/api/') || method === 'HEAD' || path === '/api/events') return;
  const fail = (what: string) => {
    throw new Error(`${method} ${target}: ${what}, against the OpenAPI document: ${text.slice(0, 2_000)}`);
  };
  // Node refuses what is no HTTP before hookctl sees it.
  if (status >= 400 && headers['content-type'] === undefined) return;
  if (status >= 400) {
    if (!String(headers['content-type']).startsWith('application/problem+json')) fail('no problem details');
    const parsed = problem.safeParse(JSON.parse(text));
    if (!parsed.success) fail(parsed.error.message);
    return;
  }
  const operation = operationFor(method, path);
  if (operation === undefined) fail('an operation that is not described');
  if (status !== (operation?.status ?? 200)) fail(`status ${status}`);
  const answer = operation?.answer ?? null;
  if (answer === null && text !== '') fail('a body');
  const parsed = answer?.safeParse(JSON.parse(text));
  if (parsed?.success === false) fail(parsed.error.message);
}
