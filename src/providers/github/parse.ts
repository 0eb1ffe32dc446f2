import { getPath, parseJson } from '../../lib/json.ts';
import type { JsonObject, RawRequest, Sender, WebhookEvent } from '../../types.ts';
import { misfit } from './fit.ts';

type Outcome =
  | { readonly ok: true; readonly events: readonly WebhookEvent[] }
  | { readonly ok: false; readonly reason: string };

/** Where each event keeps what a person wrote, and the one action on which it was written. */
const TEXTS: Readonly<Record<string, { readonly created: string; readonly at: readonly string[] }>> = {
  issue_comment: { created: 'created', at: ['comment'] },
  commit_comment: { created: 'created', at: ['comment'] },
  discussion_comment: { created: 'created', at: ['comment'] },
  pull_request_review_comment: { created: 'created', at: ['comment'] },
  pull_request_review: { created: 'submitted', at: ['review'] },
  issues: { created: 'opened', at: ['issue'] },
  pull_request: { created: 'opened', at: ['pull_request'] },
  discussion: { created: 'created', at: ['discussion'] },
};

/** What an event is about: the first of these that the payload holds gives number, title and link. */
const SUBJECTS = ['issue', 'pull_request', 'discussion'] as const;

/** Reads a verified GitHub request. The payload stands in the body, or in the form field `payload`. */
export function parse(request: RawRequest): Outcome {
  const name = request.headers['x-github-event'];
  if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
    return { ok: false, reason: 'the X-GitHub-Event header is missing or no event name' };
  }
  const json = parseJson(payloadBytes(request));
  if (!json.ok) return json;
  const problem = misfit(name, json.value);
  return problem === null
    ? { ok: true, events: [toEvent(name, json.value)] }
    : { ok: false, reason: problem };
}

function payloadBytes({ headers, body }: RawRequest): Uint8Array {
  if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return body;
  const form = new URLSearchParams(Buffer.from(body).toString('latin1'));
  return Buffer.from(form.get('payload') ?? '', 'utf8');
}

function toEvent(name: string, payload: JsonObject): WebhookEvent {
  const action = stringAt(payload, ['action']);
  const texts = TEXTS[name];
  const author = texts === undefined ? null : objectAt(payload, texts.at);
  const created = texts !== undefined && action === texts.created;
  const edited = texts !== undefined && action === 'edited';
  const subject = SUBJECTS.map((key) => objectAt(payload, [key])).find((found) => found !== null) ?? null;
  return {
    type: action === null ? name : `${name}.${action}`,
    externalId: externalId(payload, subject),
    sender: senderOf(payload, author, created),
    text: (created || edited) && author !== null ? stringAt(author, ['body']) : null,
    textOrigin: edited ? 'edited' : 'created',
    title: subject === null ? null : stringAt(subject, ['title']),
    url: (author && stringAt(author, ['html_url'])) ?? (subject && stringAt(subject, ['html_url'])),
    payload,
  };
}

/** `github:owner/repo#42`; a commit comment belongs to its commit; the host is named where it is not github.com. */
function externalId(payload: JsonObject, subject: JsonObject | null): string | null {
  const repository = stringAt(payload, ['repository', 'full_name']);
  if (repository === null) return null;
  const number = subject === null ? null : getPath(subject, ['number']);
  const commit = stringAt(payload, ['comment', 'commit_id']);
  if (typeof number === 'number') return `github:${host(payload)}${repository}#${number}`.toLowerCase();
  return commit === null ? null : `github:${host(payload)}${repository}@${commit}`.toLowerCase();
}

function host(payload: JsonObject): string {
  const url = stringAt(payload, ['repository', 'html_url']);
  if (url === null || !URL.canParse(url)) return '';
  const { hostname } = new URL(url);
  return hostname === 'github.com' ? '' : `${hostname}/`;
}

/**
 * The payload tells the association of an author, not of the sender: it counts only where they are one person,
 * or a stranger could command by labelling the owner's issue.
 */
function senderOf(payload: JsonObject, author: JsonObject | null, created: boolean): Sender | null {
  const id = getPath(payload, ['sender', 'id']);
  const name = stringAt(payload, ['sender', 'login']);
  if (typeof id !== 'number' || name === null) return null;
  const isAuthor = created || (author !== null && getPath(author, ['user', 'id']) === id);
  const appId = author === null ? null : getPath(author, ['performed_via_github_app', 'id']);
  const person = stringAt(payload, ['sender', 'type']) !== 'Bot' && !name.endsWith('[bot]');
  return {
    id: String(id),
    name,
    kind: person ? 'person' : 'bot',
    association: isAuthor && author !== null ? stringAt(author, ['author_association']) : null,
    appId: isAuthor && typeof appId === 'number' ? String(appId) : null,
  };
}

function stringAt(value: JsonObject, path: readonly string[]): string | null {
  const found = getPath(value, path);
  return typeof found === 'string' ? found : null;
}

function objectAt(value: JsonObject, path: readonly string[]): JsonObject | null {
  const found = getPath(value, path);
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as JsonObject) : null;
}
