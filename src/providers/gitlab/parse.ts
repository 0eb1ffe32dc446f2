import { getPath } from '../../lib/json.ts';
import type { EventAuthor, JsonObject, Parsed, Sender, WebhookEvent } from '../../types.ts';
import { checkKey } from '../ci/result.ts';
import { firstLine, firstText, idAt, objectAt, objectsAt, textAt, timeAt } from '../kit/payload.ts';
import { bodyKey } from '../kit/signature.ts';
import type { ReadContext } from '../provider.ts';
import { pageOf, placeOf, projectPage, stableIds, subjectOf } from './reference.ts';
import { senderOf } from './sender.ts';

/**
 * How the thing that an event is about is called: the issue or merge request, else the pipeline, job, release, commit, …; of a system
 * hook the project, group or user. Source: docs.gitlab.com, "Webhook events", "System hooks".
 */
function titleOf(payload: JsonObject): string | null {
  const commits = objectsAt(payload, 'commits');
  const newest = commits.at(-1);
  return firstLine(
    firstText([
      textAt(subjectOf(payload), 'title'),
      textAt(payload, 'object_attributes', 'title'),
      // Of an emoji, this is which one it is.
      textAt(payload, 'object_kind') === 'emoji' ? null : textAt(payload, 'object_attributes', 'name'),
      textAt(payload, 'build_name'),
      textAt(payload, 'name'),
      textAt(payload, 'tag'),
      textAt(payload, 'commit_title'),
      textAt(payload, 'commit', 'title'),
      textAt(payload, 'commit', 'message'),
      textAt(newest, 'title'),
      textAt(newest, 'message'),
      textAt(payload, 'ref'),
      textAt(payload, 'project_path_with_namespace'),
      textAt(payload, 'group_path'),
      textAt(payload, 'username'),
      textAt(payload, 'user_username'),
      textAt(payload, 'project', 'path_with_namespace'),
      textAt(payload, 'group', 'full_path'),
    ]),
  );
}

/** The page of that thing, else of its project or group. */
function urlOf(payload: JsonObject): string | null {
  return firstText([
    jobPage(payload),
    pageOf(payload),
    textAt(payload, 'deployable_url'),
    textAt(payload, 'commit_url'),
    textAt(objectsAt(payload, 'commits').at(-1), 'url'),
    textAt(objectAt(payload, 'commit'), 'url'),
    projectPage(payload),
    textAt(payload, 'group', 'web_url'),
  ]);
}

function jobPage(payload: JsonObject): string | null {
  const [page, job] = [projectPage(payload), idAt(payload, 'build_id')];
  return page === null || job === null ? null : `${page}/-/jobs/${job}`;
}

/** Where each kind keeps what a person wrote, in `object_attributes`. */
const TEXTS: Readonly<Record<string, string>> = {
  note: 'note',
  issue: 'description',
  work_item: 'description',
  merge_request: 'description',
};
const CREATED = ['create', 'open'];

/** Reads a verified GitLab request, of a project, group or system hook. */
export function parse(payload: JsonObject, { request: { headers, body } }: ReadContext): Parsed {
  const kind =
    textAt(payload, 'object_kind') ?? textAt(payload, 'event_name') ?? kindOf(headers['x-gitlab-event']);
  const event = toEvent(kind, payload);
  return { ok: true, events: [event], ...keysOf(event, body) };
}

function toEvent(kind: string, payload: JsonObject): WebhookEvent {
  const action = actionOf(kind, payload);
  const origin = textOrigin(kind, action, payload);
  const sender = senderOf(payload);
  return {
    type: action === null ? kind : `${kind}.${action}`,
    externalId: placeOf(payload)?.externalId ?? null,
    stableIds: stableIds(payload),
    hasMovedOn: idAt(subjectOf(payload), 'moved_to_id') !== null,
    sender,
    text: origin === null ? null : textAt(payload, 'object_attributes', TEXTS[kind] ?? ''),
    author: origin === null ? null : authorOf(payload, sender),
    textOrigin: origin ?? 'created',
    textFormat: 'gitlab',
    ...(origin !== null && writingOf(kind, payload, origin)),
    title: titleOf(payload),
    url: urlOf(payload),
    payload,
  };
}

/** `open`, `update`, …. Older versions do not say it of notes, whose times then do. */
function actionOf(kind: string, payload: JsonObject): string | null {
  const attributes = objectAt(payload, 'object_attributes') ?? {};
  const action = textAt(attributes, 'action');
  if (action !== null || kind !== 'note') return action;
  const updated = textAt(attributes, 'updated_at');
  return updated === null || updated === textAt(attributes, 'created_at') ? 'create' : 'update';
}

/** Null when the act wrote no text: GitLab's own notes ("changed the label"), and updates of something else. */
function textOrigin(
  kind: string,
  action: string | null,
  payload: JsonObject,
): WebhookEvent['textOrigin'] | null {
  if (!Object.hasOwn(TEXTS, kind) || action === null) return null;
  if (getPath(payload, ['object_attributes', 'system']) === true) return null;
  if (CREATED.includes(action)) return wasWrittenBefore(kind, payload) ? 'moved' : 'created';
  const isEdit =
    action === 'update' && (kind === 'note' || objectAt(payload, 'changes', 'description') !== null);
  return isEdit ? 'edited' : null;
}

/** An issue that was changed later than this after it was made is no new one: its hook is made in the same request. */
const NEW_FOR_MS = 10_000;

/**
 * Whether what is opened is a copy: an issue that is moved keeps the time at which it was made, one that is cloned the time of the
 * last edit. GitLab reports merge requests some time after they were made. Source: gitlab-org/gitlab `app/services/issues/move_service.rb`,
 * `clone_service.rb`.
 */
function wasWrittenBefore(kind: string, payload: JsonObject): boolean {
  if (kind === 'note') return false;
  const at = (field: string) => timeAt(payload, 'object_attributes', field);
  const [created, updated] = [at('created_at'), at('updated_at')];
  if (at('last_edited_at') !== null) return true;
  return kind !== 'merge_request' && created !== null && updated !== null && updated - created > NEW_FOR_MS;
}

/** Notes, issues and merge requests name their author by id alone. */
function authorOf(payload: JsonObject, sender: Sender | null): EventAuthor | null {
  const id = idAt(payload, 'object_attributes', 'author_id');
  return id === null ? null : { id, name: id === sender?.id ? sender.name : `user ${id}` };
}

/** The id of a text, which is unique in the instance, and when it was written. */
function writingOf(kind: string, payload: JsonObject, origin: WebhookEvent['textOrigin']) {
  const id = idAt(payload, 'object_attributes', 'id');
  return {
    textId: id === null ? null : `${placeOf(payload)?.host ?? ''}/${kind}/${id}`,
    writtenAt: timeAt(payload, 'object_attributes', origin === 'edited' ? 'updated_at' : 'created_at'),
  };
}

/**
 * One comment comes twice where a project and its group both have a hook. With a plain token nothing is signed: a text names
 * its id, so that its bytes do not rightly come again.
 */
function keysOf(event: WebhookEvent, body: Uint8Array) {
  const { text, textId = null, textOrigin } = event;
  const result = text === null ? checkKey('gitlab', event) : null;
  if (result !== null) return { semanticKeys: [result] };
  if (text === null || textId === null) return { semanticKeys: [] };
  return { semanticKeys: textOrigin === 'created' ? [textId] : [], bytesKey: () => bodyKey(body) };
}

/** `Merge Request Hook` → `merge_request`, for what GitLab adds without an `object_kind`. */
function kindOf(header: string | undefined): string {
  const words = /^[A-Za-z ]{1,60}$/.test(header ?? '') ? (header ?? '') : 'unknown';
  return words
    .toLowerCase()
    .replace(/ hook$/, '')
    .replaceAll(' ', '_');
}
