import type { WebhookEvent } from '../types.ts';

/** Whether one of the patterns names an event. A part of something needs its exact type. */
export function namesEvent(patterns: readonly string[], { type, isPart }: WebhookEvent): boolean {
  return isPart === true ? patterns.includes(type) : eventMatches(patterns, type);
}

/** Whether an event type is named by one of the patterns: `issues.opened`, `issues.*`, `*`. */
export function eventMatches(patterns: readonly string[], type: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === type ||
      pattern === '*' ||
      (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))),
  );
}
