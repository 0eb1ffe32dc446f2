import type { Issue, Path } from '../../types.ts';

/** A copy without the faulty values: the rest can then be checked further, so that one run shows all problems. */
export function withoutFaulty(value: unknown, issues: readonly Issue[]): unknown {
  return prune(
    value,
    issues.map(({ path }) => path),
  );
}

function prune(value: unknown, paths: readonly Path[]): unknown {
  if (typeof value !== 'object' || value === null || paths.length === 0) return value;
  if (Array.isArray(value)) return value.map((item, index) => prune(item, below(paths, index)));
  const kept = Object.entries(value).filter(([key]) => !paths.some((path) => removes(path, key)));
  return Object.fromEntries(kept.map(([key, inner]) => [key, prune(inner, below(paths, key))]));
}

/** A list goes as a whole when one of its entries is faulty: positions in later messages must stay true. */
function removes([head, next, ...rest]: Path, key: string): boolean {
  return head === key && (next === undefined || (typeof next === 'number' && rest.length === 0));
}

function below(paths: readonly Path[], key: string | number): readonly Path[] {
  return paths.filter(([head, ...rest]) => head === key && rest.length > 0).map((path) => path.slice(1));
}
