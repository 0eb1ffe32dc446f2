import { failure } from '../../errors.ts';

/**
 * A path below an API's address from ids that came in a payload. Each is one segment: `/` is escaped, and what a URL
 * parser would take for a step upwards is refused (`bad_place`).
 */
export function apiPath(...segments: readonly (string | null | undefined)[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

function encodeSegment(segment: string | null | undefined): string {
  if (segment === null || segment === undefined || segment === '' || /^\.{1,2}$/.test(segment)) {
    throw failure('bad_place', `there is nowhere to send it: ${JSON.stringify(segment ?? null)} is no id`);
  }
  return encodeURIComponent(segment);
}
