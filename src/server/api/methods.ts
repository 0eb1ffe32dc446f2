import type { Hono } from 'hono';

/** The methods under which a path is known; empty for an unknown path. Hono itself answers 404 for both. */
export function allowedMethods({ routes }: Pick<Hono, 'routes'>, path: string): readonly string[] {
  const methods = routes
    .filter(({ method, path: pattern }) => method !== 'ALL' && matches(pattern, path))
    .map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();
}

function matches(pattern: string, path: string): boolean {
  const given = path.split('/');
  const wanted = pattern.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => (part.startsWith(':') ? given[index] !== '' : given[index] === part))
  );
}
