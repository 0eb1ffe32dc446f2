import { createHash } from 'node:crypto';
import type { Ack, JsonObject, Parsed, Provider, WebhookEvent } from '../../types.ts';
import { event, noPerson } from '../kit/event.ts';
import { idAt, objectsAt, textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';

/** Reads an envelope of notifications: several events that need not have anything to do with each other. */
function parse(payload: JsonObject): Parsed {
  if (!Array.isArray(payload.events)) return { ok: false, reason: 'the payload has no list of events' };
  const events = objectsAt(payload, 'events');
  const ids = events.map((each) => idAt(each, 'id'));
  // An envelope that got no answer comes again as it is. Without all ids nothing tells it from another one.
  const isKnown = ids.length > 0 && ids.every((id) => id !== null);
  const key = createHash('sha256').update(JSON.stringify(ids)).digest('hex');
  return { ok: true, events: events.map(toEvent), semanticKeys: isKnown ? [`events:${key}`] : [] };
}

function toEvent(payload: JsonObject): WebhookEvent {
  const repository = textAt(payload, 'target', 'repository');
  const tag = textAt(payload, 'target', 'tag');
  const name = repository === null ? null : `${repository}${tag === null ? '' : `:${tag}`}`;
  const type = typeOf(payload, tag);
  return event(payload, {
    type,
    externalId: externalId(payload, repository, tag),
    // The registry vouches for the name, but tells nothing of what it may do here.
    sender: noPerson('registry', textAt(payload, 'actor', 'name') || 'registry'),
    title: name === null ? null : `${type} ${name}`,
    url: textAt(payload, 'target', 'url'),
    isPart: /^(?:blob|manifest)\./.test(type),
  });
}

/**
 * `push` is a tag that was pushed. One `docker push` also sends each layer, the configuration and, for several platforms, each
 * platform's manifest, none of which has a tag: those are `blob.push` and `manifest.push`, which `push` and `*` do not take. Where no
 * media type is given, the address says which. A deletion keeps its action. Source: distribution `notifications/event.go`, `bridge.go`.
 */
function typeOf(payload: JsonObject, tag: string | null): string {
  const action = textAt(payload, 'action') ?? 'unknown';
  if (tag || action === 'delete' || !textAt(payload, 'target', 'digest')) return action;
  const kind = textAt(payload, 'target', 'mediaType') || textAt(payload, 'target', 'url') || '';
  return /manifest|image\.index/.test(kind) ? `manifest.${action}` : `blob.${action}`;
}

/** `registry:hub.example.com/team/app:1.2`; `@sha256:…` where the event has no tag, as a deletion. */
function externalId(payload: JsonObject, repository: string | null, tag: string | null): string | null {
  const reference = tag ?? textAt(payload, 'target', 'digest');
  if (!repository || !reference) return null;
  const host = textAt(payload, 'request', 'host') ?? textAt(payload, 'source', 'addr');
  const place = [host, repository].filter((part) => part !== null && part !== '').join('/');
  const id = `registry:${place}${tag === null ? '@' : ':'}${reference}`;
  return /\s/.test(id) ? null : id;
}

const TAKEN: Ack = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/**
 * Notifications of a container registry (Docker distribution), which signs nothing: the secret is a bearer token among
 * its static headers. What is not answered with 2xx or 3xx it sends again for ever, and everything behind it waits: so
 * a request with the token gets a 200 for any content; what cannot be read is kept as `unparsed`. Source:
 * distribution.github.io, "Work with notifications".
 */
export const registry: Provider = createProvider({
  name: 'registry',
  signature: { scheme: 'token' },
  contentType: 'application/vnd.docker.distribution.events.v2+json',
  headers: () => ({ 'user-agent': 'Go-http-client/1.1' }),
  parse,
  acknowledge: () => TAKEN,
  form: ({ url, secretCommand }) => ({
    'notifications › endpoints › url': url,
    'headers › Authorization › [Bearer …]': secretCommand,
    timeout: '5s',
    'ignore › actions': '[pull]',
  }),
});
