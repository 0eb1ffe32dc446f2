import { failure } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Account, JsonObject, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call, commentsApi, whoamiAt } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, textAt } from '../kit/payload.ts';
import { apiPath, type Segments } from '../kit/reply.ts';
import { subjectOf } from './reference.ts';

/** Names by which others know GitLab's emoji. */
const EMOJI: Readonly<Record<string, string>> = { '+1': 'thumbsup', '-1': 'thumbsdown' };

/**
 * Notes on issues and merge requests. Source: docs.gitlab.com, "Notes API", "Emoji reactions API".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.gitlab.account,
  inert: inert.gitlab,
  // GitLab takes a million characters, which no one reads.
  textLimit: 65_536,

  subjectFields: ['project', 'kind', 'number'],
  place({ payload }) {
    const project = idAt(payload, 'project', 'id') ?? idAt(payload, 'project', 'path_with_namespace');
    const kind = kindOf(payload);
    const number = idAt(subjectOf(payload), 'iid');
    if (project === null || kind === null || number === null) return null;
    const isNote = textAt(payload, 'object_kind') === 'note';
    const note = isNote ? idAt(payload, 'object_attributes', 'id') : null;
    return { host: hostOf(textAt(payload, 'project', 'web_url')), project, kind, number, note };
  },

  immediate: ({ payload }) =>
    textAt(payload, 'object_kind') === 'note'
      ? { kind: 'react', emoji: 'eyes' }
      : textAt(payload, 'object_attributes', 'action') === 'open'
        ? { kind: 'comment' }
        : null,

  authorize: ({ token }) => ({ 'private-token': token.reveal() }),

  ...commentsApi({
    url: (account, place) => urlOf(account, place, 'notes'),
    listUrl: (account, place) =>
      `${urlOf(account, place, 'notes')}?order_by=created_at&sort=desc&per_page=100`,
    edit: { method: 'PUT', url: (account, place, remoteId) => urlOf(account, place, 'notes', remoteId) },
    authorOf: (note) => idAt(note, 'author', 'id'),
    whoami: whoamiAt('/api/v4/user'),
  }),

  react(account, place, emoji) {
    const on = place.note == null ? [] : ['notes', place.note];
    return call('POST', urlOf(account, place, ...on, 'award_emoji'), { name: EMOJI[emoji] ?? emoji });
  },

  label: (account, place, label) =>
    call('PUT', urlOf(account, place), { add_labels: label.replaceAll(',', ' ') }),

  /** GitLab refuses an emoji that is there already. */
  classify: ({ status, text }) =>
    status === 404 && text.includes('Award Emoji Name has already been taken')
      ? { result: 'done', id: null }
      : null,
};

/** Snippets and commits have APIs of their own, which are not spoken here. */
function kindOf(payload: JsonObject): 'issues' | 'merge_requests' | null {
  const has = (key: string) => isJsonObject(payload[key]) || textAt(payload, 'object_kind') === key;
  if (has('merge_request')) return 'merge_requests';
  return has('issue') || has('work_item') ? 'issues' : null;
}

function urlOf({ baseUrl }: Account, { project, kind, number }: ThreadRef, ...segments: Segments): string {
  if (kind !== 'issues' && kind !== 'merge_requests')
    throw failure('bad_place', `${kind} is nothing to answer on`);
  return `${baseUrl}/api/v4${apiPath('projects', project, kind, number, ...segments)}`;
}
