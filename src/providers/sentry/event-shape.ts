import { getPath } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { textAt } from '../kit/payload.ts';

/** What `data` of each resource must hold. Resources that are not listed are Sentry's to add, and pass. */
const REQUIRED: Readonly<Record<string, string>> = {
  comment: 'comment_id',
  error: 'error',
  event_alert: 'event',
  installation: 'installation',
  issue: 'issue',
  metric_alert: 'metric_alert',
};

/**
 * Why the payload cannot be of that resource; null when it fits. `Sentry-Hook-Resource` is outside the signature:
 * without this check a captured body could be sent again as another resource, whose command runs without a prefix.
 */
export function shapeMismatch(resource: string, payload: JsonObject): string | null {
  const required = Object.hasOwn(REQUIRED, resource) ? REQUIRED[resource] : undefined;
  if (required === undefined) return null;
  if (textAt(payload, 'action') === null)
    return `the header says ${resource}, but the payload has no \`action\``;
  return getPath(payload, ['data', required]) === undefined
    ? `the header says ${resource}, but the payload has no \`data.${required}\``
    : null;
}
