import type { JsonObject } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/** Where the types of payloads keep the issue: data of a change, a session, a notification, a service level. */
const HOLDERS = ['data', 'agentSession', 'notification', 'issueData'] as const;

/** The issue itself, or the one that a comment, a session, a reaction, a notification belongs to. */
export function issueOf(payload: JsonObject): JsonObject | null {
  const issueData = objectAt(payload, 'issueData');
  if (issueData !== null) return issueData;
  const holder = holderOf(payload) ?? {};
  return textAt(payload, 'type') === 'Issue'
    ? holder
    : (objectAt(holder, 'issue') ?? objectAt(holder, 'comment', 'issue'));
}

/** The id of that issue, which stays when it moves to another team; comments of older payloads name nothing else. */
export function issueIdOf(payload: JsonObject): string | null {
  const holder = holderOf(payload);
  return (
    idAt(issueOf(payload), 'id') ??
    idAt(holder, 'issueId') ??
    idAt(holder, 'comment', 'issueId') ??
    idAt(holder, 'parentComment', 'issueId')
  );
}

function holderOf(payload: JsonObject): JsonObject | null {
  return HOLDERS.map((name) => objectAt(payload, name)).find((found) => found !== null) ?? null;
}

/** Under which ids the subject of an event is known; all empty where it has none. */
interface Subject {
  readonly externalId: string | null;
  readonly stableIds: readonly string[];
  readonly otherIds: readonly string[];
}

/**
 * `linear:acme/ENG-42`: only the links name the workspace, which older payloads of comments have where they lack
 * the identifier. Without a link, the issue by its own id; without an issue, the project or initiative by its own.
 */
export function subjectOf(payload: JsonObject): Subject {
  const issue = issueOf(payload);
  const links = [textAt(issue, 'url'), textAt(payload, 'url'), textAt(payload, 'agentSession', 'url')];
  const [, workspace, identifier] =
    links
      .map((link) => /^https:\/\/linear\.app\/([\w-]+)\/issue\/([\w]+-\d+)/.exec(link ?? ''))
      .find(Boolean) ?? [];
  const place = workspace === undefined ? null : `linear:${workspace.toLowerCase()}/`;
  const id = word(issueIdOf(payload)) ?? otherSubject(payload);
  return {
    externalId: place !== null ? `${place}${identifier}` : id === null ? null : `linear:${id}`,
    stableIds: id === null ? [] : [`linear:linear.app/${id}`],
    otherIds: place === null ? [] : formerIdentifiers(issue).map((former) => place + former),
  };
}

/** What an issue was called before it was moved to another team. */
function formerIdentifiers(issue: JsonObject | null | undefined): readonly string[] {
  const list = issue?.previousIdentifiers;
  const names = Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
  return names.filter((name) => /^\w+-\d+$/.test(name));
}

/** Comments and updates also belong to projects, initiatives and documents. */
function otherSubject(payload: JsonObject): string | null {
  const holder = holderOf(payload);
  const type = textAt(payload, 'type');
  const names = ['projectUpdate', 'project', 'initiativeUpdate', 'initiative', 'document'];
  if (type === 'Project' || type === 'Initiative' || type === 'Document') return word(idAt(holder, 'id'));
  return (
    names.map((name) => word(idAt(holder, name, 'id') ?? idAt(holder, `${name}Id`))).find(Boolean) ?? null
  );
}

function word(id: string | null): string | null {
  return id === null || /\s/.test(id) ? null : id;
}
