import type { JsonObject } from '../../types.ts';
import { hasValue } from '../kit/payload.ts';

/**
 * Keys without which a payload is not of its event. `X-GitHub-Event` is outside the signature: without this check a
 * captured body could be sent again as another event and match other commands. Events that are not listed are
 * GitHub's to add, and pass.
 */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  check_run: ['check_run'],
  check_suite: ['check_suite'],
  commit_comment: ['comment'],
  create: ['ref', 'ref_type', 'master_branch'],
  delete: ['ref', 'ref_type'],
  deployment: ['deployment'],
  deployment_status: ['deployment_status'],
  discussion: ['discussion'],
  discussion_comment: ['discussion', 'comment'],
  fork: ['forkee'],
  installation: ['installation'],
  issue_comment: ['issue', 'comment'],
  issues: ['issue'],
  label: ['label'],
  milestone: ['milestone'],
  ping: ['zen', 'hook_id'],
  pull_request: ['pull_request', 'number'],
  pull_request_review: ['pull_request', 'review'],
  pull_request_review_comment: ['pull_request', 'comment'],
  pull_request_review_thread: ['pull_request', 'thread'],
  push: ['ref', 'before', 'after'],
  release: ['release'],
  repository_dispatch: ['client_payload'],
  workflow_dispatch: ['workflow', 'inputs'],
  workflow_job: ['workflow_job'],
  workflow_run: ['workflow_run'],
};

/** Keys that may be null where they are required: a dispatch without inputs. */
const NULLABLE = ['inputs', 'client_payload'];

/** Keys that only these events carry: a comment posted as `issues` would otherwise pass for an issue. */
const EXCLUSIVE: Readonly<Record<string, readonly string[]>> = {
  comment: ['commit_comment', 'discussion_comment', 'issue_comment', 'pull_request_review_comment'],
  review: ['pull_request_review'],
  thread: ['pull_request_review_thread'],
  client_payload: ['repository_dispatch'],
};

/** Why the payload cannot be of that event; null when it fits. */
export function shapeMismatch(event: string, payload: JsonObject): string | null {
  // Own keys only: `constructor` is a name that a header can carry.
  const isKnown = Object.hasOwn(REQUIRED, event);
  const isThere = (key: string) =>
    NULLABLE.includes(key) ? Object.hasOwn(payload, key) : hasValue(payload, key);
  const missing = isKnown ? REQUIRED[event]?.find((key) => !isThere(key)) : undefined;
  if (missing !== undefined) return `the header says ${event}, but the payload has no \`${missing}\``;
  for (const [key, events] of Object.entries(EXCLUSIVE)) {
    if (hasValue(payload, key) && isKnown && !events.includes(event)) {
      return `the header says ${event}, but the payload has a \`${key}\``;
    }
  }
  return null;
}
