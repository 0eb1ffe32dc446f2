import { getPath } from '../../lib/json.ts';
import type { JsonObject, Parsed, ParseSettings, Sender, WebhookEvent } from '../../types.ts';
import { accountSender, authoredBy, noPerson } from '../kit/event.ts';
import { idAt, textAt, timeAt } from '../kit/payload.ts';
import type { ReadContext } from '../provider.ts';
import { detailsOf } from './details.ts';
import { externalIdOf, isPluginAlert, titleOf, webUrlOf } from './issue.ts';

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
function shapeMismatch(resource: string, payload: JsonObject): string | null {
  const required = Object.hasOwn(REQUIRED, resource) ? REQUIRED[resource] : undefined;
  if (required === undefined) return null;
  if (textAt(payload, 'action') === null)
    return `the header says ${resource}, but the payload has no \`action\``;
  return getPath(payload, ['data', required]) === undefined
    ? `the header says ${resource}, but the payload has no \`data.${required}\``
    : null;
}

/** Reads a verified Sentry request. The resource is in a header, the action in the body. */
export function parse(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const resource = request.headers['sentry-hook-resource'];
  if (resource !== undefined && !/^[a-z0-9_.-]+$/.test(resource)) {
    return { ok: false, reason: 'the Sentry-Hook-Resource header is no resource name' };
  }
  // Some requests of UI components are empty. Their signature fits every other empty one, so the header counts for nothing.
  if (request.body.byteLength === 0) {
    return { ok: true, events: [toEvent('empty', {}, settings)], semanticKeys: [] };
  }
  const problem = resource === undefined ? null : shapeMismatch(resource, payload);
  if (problem !== null) return { ok: false, reason: problem };
  const action = textAt(payload, 'action');
  const type = resource === undefined ? typeWithoutResource(payload) : named(resource, action);
  return {
    ok: true,
    events: [toEvent(type, payload, settings)],
    semanticKeys: semanticKeys(type, payload),
  };
}

function named(resource: string, action: string | null): string {
  return action === null ? resource : `${resource}.${action}`;
}

/**
 * Alert-rule actions and issue links come without a resource (`sentry-app-signature`), as the alerts of the legacy WebHooks plugin do.
 * Source: getsentry/sentry `build_legacy_webhook_payload`.
 */
function typeWithoutResource(payload: JsonObject): string {
  return isPluginAlert(payload) ? 'plugin_alert' : 'app_request';
}

function toEvent(type: string, payload: JsonObject, settings: ParseSettings): WebhookEvent {
  const isComment = type === 'comment.created' || type === 'comment.updated';
  const titles = ['issue', 'event', 'error'].map((key) => textAt(payload, 'data', key, 'title'));
  const sender = senderOf(type, payload);
  return {
    type,
    externalId: externalIdOf(payload, settings),
    sender,
    text: isComment ? textAt(payload, 'data', 'comment') : null,
    // Sentry names only the actor, and lets only the writer of a comment edit it.
    author: isComment && sender?.kind !== 'system' ? authoredBy(sender) : null,
    // Anyone with the public DSN can send errors and feedback; a metric is the project's own measure.
    hasStrangersWords: !/^(?:metric_alert|installation)\./.test(type),
    textOrigin: type === 'comment.updated' ? 'edited' : 'created',
    textId: isComment ? idAt(payload, 'data', 'comment_id') : null,
    writtenAt: isComment ? timeAt(payload, 'data', 'timestamp') : null,
    title:
      titles.find((title) => title !== null) ??
      textAt(payload, 'data', 'description_title') ??
      titleOf(payload),
    details: detailsOf(payload),
    url: webUrlOf(payload),
    payload,
  };
}

/**
 * `actor`: a user of the organisation; Sentry itself (`application`, `sentry`); or an app by its uuid, ours included.
 * Source: getsentry/sentry, `get_actor()` of the platform events.
 */
function senderOf(type: string, payload: JsonObject): Sender | null {
  const id = idAt(payload, 'actor', 'id');
  const kind = textAt(payload, 'actor', 'type');
  if (id === null || kind === null) return isAutomatic(type) ? SENTRY : null;
  const name = textAt(payload, 'actor', 'name') ?? id;
  if (kind === 'application' && id === 'sentry') return noPerson(id, name);
  return accountSender({ id, name }, { isBot: kind !== 'user', association: 'member' });
}

const SENTRY = noPerson('sentry', 'Sentry');

/** No person does these: Sentry does when something happened in the application that it watches. */
function isAutomatic(type: string): boolean {
  return /^(?:event_alert|metric_alert|error)\.|^issue\.created$|^plugin_alert$/.test(type);
}

/**
 * `Request-ID` is not signed, and whether a retry keeps it is not said. Only what happens once has a key: an issue may
 * be resolved again, with the same bytes.
 */
function semanticKeys(type: string, payload: JsonObject): readonly string[] {
  switch (type) {
    case 'issue.created':
      return key(type, idAt(payload, 'data', 'issue', 'id'));
    case 'issue.unresolved': {
      // A regression is known by the event that brought the issue back, whichever hooks tell of it.
      const seen = textAt(payload, 'data', 'issue', 'lastSeen');
      const isBack = textAt(payload, 'data', 'issue', 'substatus') === 'regressed';
      const id = idAt(payload, 'data', 'issue', 'id');
      return isBack && seen !== null ? key('issue.regressed', id && `${id}:${seen}`) : [];
    }
    case 'comment.created':
      return key(type, idAt(payload, 'data', 'comment_id'));
    case 'error.created':
      return key(type, idAt(payload, 'data', 'error', 'event_id'));
    case 'event_alert.triggered': {
      const event = idAt(payload, 'data', 'event', 'event_id');
      return key(type, event && `${event}:${textAt(payload, 'data', 'triggered_rule') ?? ''}`);
    }
    default:
      return [];
  }
}

function key(type: string, id: string | null): readonly string[] {
  return id === null ? [] : [`${type}:${id}`];
}
