import type { Headers, JsonObject } from '../../types.ts';
import { hasValue } from '../kit/payload.ts';

/** The same event under three names, in the order in which the forks add theirs. */
const HEADERS = ['x-forgejo-event', 'x-gitea-event', 'x-gogs-event'] as const;

/** Keys without which a payload is not of its event; events that are not listed pass. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  create: ['ref', 'ref_type'],
  delete: ['ref', 'ref_type'],
  fork: ['forkee'],
  issue_comment: ['comment'],
  issues: ['issue'],
  pull_request: ['pull_request'],
  pull_request_approved: ['pull_request', 'review'],
  pull_request_comment: ['pull_request', 'review'],
  pull_request_rejected: ['pull_request', 'review'],
  push: ['ref', 'after'],
  release: ['release'],
};
/** Keys that only these events carry. */
const EXCLUSIVE: Readonly<Record<string, RegExp>> = {
  comment: /^issue_comment$/,
  review: /^pull_request_(?:approved|comment|rejected)$/,
};

/** What the headers call the event; null when they name none. */
export function eventName(headers: Headers): string | null {
  const name = HEADERS.map((header) => headers[header]).find((found) => found !== undefined);
  return name !== undefined && /^[a-z0-9_]+$/.test(name) ? name : null;
}

/**
 * Why the payload cannot be of that event; null when it fits. The name is outside the signature: a captured comment
 * could otherwise be sent again as an issue, and match other commands.
 */
export function shapeMismatch(event: string, payload: JsonObject): string | null {
  const required = Object.hasOwn(REQUIRED, event) ? (REQUIRED[event] ?? []) : [];
  const missing = required.find((key) => !hasValue(payload, key));
  if (missing !== undefined) return `the header says ${event}, but the payload has no \`${missing}\``;
  // Gitea and Forgejo write `"review": null` into every pull request.
  const alien = Object.entries(EXCLUSIVE).find(
    ([key, events]) => hasValue(payload, key) && Object.hasOwn(REQUIRED, event) && !events.test(event),
  );
  return alien === undefined ? null : `the header says ${event}, but the payload has a \`${alien[0]}\``;
}
