import {
  BUTTON_ACTIONS,
  type EventAuthor,
  type Headers,
  type JsonObject,
  type Sender,
  type WebhookEvent,
} from '../../types.ts';
import { shapeMismatch } from '../kit/event-shape.ts';
import { hasValue, hostOf, idAt, objectAt, textAt, timeAt } from '../kit/payload.ts';
import { subjectOf } from './subject.ts';

/** `X-GitHub-Event` is outside the signature. */
const SHAPES: Parameters<typeof shapeMismatch>[0] = {
  required: {
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
  },
  exclusive: {
    comment: ['commit_comment', 'discussion_comment', 'issue_comment', 'pull_request_review_comment'],
    review: ['pull_request_review'],
    thread: ['pull_request_review_thread'],
    client_payload: ['repository_dispatch'],
  },
  // A dispatch without inputs.
  nullable: ['inputs', 'client_payload'],
};

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

/** Keys of `changes` that name where an issue or a discussion was before. */
const MOVES = [
  'old_issue',
  'old_repository',
  'new_issue',
  'new_repository',
  'old_discussion',
  'new_discussion',
];

/** Reads a verified GitHub request. */
export function parse(payload: JsonObject, headers: Headers): Outcome {
  const name = headers['x-github-event'];
  if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
    return { ok: false, reason: 'the X-GitHub-Event header is missing or no event name' };
  }
  const problem = shapeMismatch(SHAPES, name, payload);
  return problem === null ? { ok: true, events: [toEvent(name, payload)] } : { ok: false, reason: problem };
}

function toEvent(name: string, payload: JsonObject): WebhookEvent {
  const action = textAt(payload, 'action');
  const texts = Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined;
  const written = texts === undefined ? null : objectAt(payload, ...texts.at);
  const subject = subjectOf(name, payload);
  const isText = written !== null && (action === texts?.created || isEdit(payload));
  const author = written === null ? null : authorOf(written);
  return {
    type: action === null ? name : `${name}.${action}`,
    ...subject,
    sender: senderOf(payload, written),
    text: isText ? textAt(written, 'body') : null,
    author: isText ? author : null,
    textOrigin: originOf(action, payload),
    ...buttonOf(name, action, payload),
    ...(isText && writingOf(name, payload, written, action === 'edited')),
    url: textAt(written ?? {}, 'html_url') ?? subject.url,
    payload,
  };
}

/** A click on a button of a check run, whose `external_id` is the task's id. GitHub tells it to the App alone that made the check. */
function buttonOf(
  event: string,
  action: string | null,
  payload: JsonObject,
): Pick<WebhookEvent, 'isClick' | 'button'> {
  if (event !== 'check_run' || action !== 'requested_action') return {};
  const [name, digest = ''] = (textAt(payload, 'requested_action', 'identifier') ?? '').split('.');
  const pressed = BUTTON_ACTIONS.find((each) => each === name);
  const [check, remoteId] = [textAt(payload, 'check_run', 'external_id'), idAt(payload, 'check_run', 'id')];
  if (pressed === undefined || check === null || remoteId === null) return { isClick: true };
  return { isClick: true, button: { action: pressed, on: { check }, digest, expiresAt: null, remoteId } };
}

/** The id of a text and when it was written. A review names when it was submitted. */
function writingOf(name: string, payload: JsonObject, written: JsonObject, isEdit: boolean) {
  const id = idAt(written, 'id');
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? 'github.com';
  const created = timeAt(written, 'created_at') ?? timeAt(written, 'submitted_at');
  return {
    textId: id === null ? null : `${host}/${name}/${id}`,
    writtenAt: isEdit ? timeAt(written, 'updated_at') : created,
  };
}

/** Who wrote a comment, review, issue, pull request or discussion. */
function authorOf(written: JsonObject): EventAuthor | null {
  const id = idAt(written, 'user', 'id');
  return id === null ? null : { id, name: textAt(written, 'user', 'login') ?? id };
}

/**
 * A transferred issue is `opened` in its new repository, with `changes.old_issue`, by the person who moved it; a discussion that
 * was made of an issue or came from another repository is `created` with `changes`. Their texts were written earlier.
 */
function originOf(action: string | null, payload: JsonObject): WebhookEvent['textOrigin'] {
  if (action === 'edited') return 'edited';
  return MOVES.some((key) => objectAt(payload, 'changes', key) !== null) ? 'moved' : 'created';
}

/** `changes` names what an edit changed; a new title is no new text. */
function isEdit(payload: JsonObject): boolean {
  const changes = objectAt(payload, 'changes');
  return textAt(payload, 'action') === 'edited' && (changes === null || hasValue(changes, 'body'));
}

/** Owns what deleted accounts left; a `User` like any other (api.github.com/users/ghost). */
const GHOST = '10137';

/**
 * `Bot`, `Mannequin` (who an import did not find) and `Organization` are no people, nor is a login that only apps can have. Source:
 * octokit/webhooks, `User.type`.
 *
 * The payload tells the association of an author, not of the sender: it counts only where they are one person,
 * or a stranger could command by labelling the owner's issue.
 */
function senderOf(payload: JsonObject, written: JsonObject | null): Sender | null {
  const id = idAt(payload, 'sender', 'id');
  const name = textAt(payload, 'sender', 'login');
  if (id === null || name === null) return null;
  const own = written !== null && authorOf(written)?.id === id ? written : {};
  const isPerson =
    (textAt(payload, 'sender', 'type') ?? 'User') === 'User' && !name.endsWith('[bot]') && id !== GHOST;
  return {
    id,
    name,
    kind: isPerson ? 'person' : 'bot',
    association: textAt(own, 'author_association'),
    appId: idAt(own, 'performed_via_github_app', 'id'),
  };
}
