/** Whether an event type is named by one of the patterns: `issues.opened`, `issues.*`, `*`. */
export function eventMatches(patterns: readonly string[], type: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === type ||
      pattern === '*' ||
      (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))),
  );
}
