import type { TextFormat, WebhookEvent } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';
import { closedIn, keysIn, type Reference } from './closing.ts';

/** A pull request or merge request as an event tells of it. */
interface Change {
  readonly title: string;
  readonly body: string;
  readonly branch: string;
  /** Its branch is in another repository, or the payload does not say in which. */
  readonly isFork: boolean;
  /** Id of the account that opened it; null when the payload does not say. */
  readonly authorId: string | null;
}

interface ChangeReader {
  /** Types of events that open a pull request or change its words. */
  readonly types: ReadonlySet<string>;
  readonly format: TextFormat;
  readonly read: (payload: WebhookEvent['payload']) => Change | null;
}

const READERS: Readonly<Record<string, ChangeReader>> = {
  github: {
    types: new Set(['pull_request.opened', 'pull_request.edited', 'pull_request.reopened']),
    format: 'markdown',
    read: readPullRequest,
  },
  gitea: {
    types: new Set(['pull_request.opened', 'pull_request.edited', 'pull_request.reopened']),
    format: 'markdown',
    read: readPullRequest,
  },
  gitlab: {
    types: new Set(['merge_request.open', 'merge_request.update', 'merge_request.reopen']),
    format: 'gitlab',
    read(payload) {
      const own = objectAt(payload, 'object_attributes');
      const ids = ['source_project_id', 'target_project_id'].map((key) => idAt(own, key));
      return {
        title: textAt(own, 'title') ?? '',
        body: textAt(own, 'description') ?? '',
        branch: textAt(own, 'source_branch') ?? '',
        isFork: ids[0] === null || ids[0] !== ids[1],
        authorId: idAt(own, 'author_id'),
      };
    },
  },
  bitbucket: {
    types: new Set(['pullrequest:created', 'pullrequest:updated', 'pr:opened', 'pr:modified']),
    format: 'bitbucket',
    read(payload) {
      const cloud = objectAt(payload, 'pullrequest');
      const own = cloud ?? objectAt(payload, 'pullRequest');
      const [from, to] = cloud === null ? ['fromRef', 'toRef'] : ['source', 'destination'];
      const repository = (side = '') =>
        idAt(own, side, 'repository', 'uuid') ?? idAt(own, side, 'repository', 'id');
      return {
        title: textAt(own, 'title') ?? '',
        body: textAt(own, 'description') ?? '',
        branch: textAt(own, 'source', 'branch', 'name') ?? textAt(own, 'fromRef', 'displayId') ?? '',
        isFork: repository(from) === null || repository(from) !== repository(to),
        authorId: idAt(own, 'author', 'account_id') ?? idAt(own, 'author', 'user', 'id'),
      };
    },
  },
};

function readPullRequest(payload: WebhookEvent['payload']): Change | null {
  const own = objectAt(payload, 'pull_request');
  if (own === null) return null;
  const head = idAt(own, 'head', 'repo', 'id');
  const base = idAt(own, 'base', 'repo', 'id') ?? idAt(payload, 'repository', 'id');
  return {
    title: textAt(own, 'title') ?? '',
    body: textAt(own, 'body') ?? '',
    branch: textAt(own, 'head', 'ref') ?? '',
    isFork: head === null || head !== base,
    authorId: idAt(own, 'user', 'id'),
  };
}

function readerFor(provider: string): ChangeReader | undefined {
  return Object.hasOwn(READERS, provider) ? READERS[provider] : undefined;
}

/** Whether an event can tell of a pull request that belongs to something. Cheap: it is asked of every delivery. */
export function tellsOfChange(provider: string, { type }: Pick<WebhookEvent, 'type'>): boolean {
  return readerFor(provider)?.types.has(type) === true;
}

/** The pull request that an event opens or changes. Null for all other events. */
export function changeIn(provider: string, { type, payload }: WebhookEvent): Change | null {
  const reader = readerFor(provider);
  return reader?.types.has(type) === true ? reader.read(payload) : null;
}

/** What a pull request says that it belongs to: things that its description closes, keys of tickets in title and branch. */
export function referencesOf(provider: string, { title, body, branch }: Change): readonly Reference[] {
  const format = readerFor(provider)?.format ?? 'markdown';
  return [...closedIn(provider, body, format), ...keysIn(title), ...keysIn(branch)];
}

/** Ids of tasks and flows in a branch that hookctl named, or behind its hidden mark in a description. */
export function madeBy({ branch, body }: Change): readonly string[] {
  const id = /(?:task-[0-9a-hjkmnp-tv-z]{16}|flow-[0-9a-f]{16})(?![0-9a-z])/g;
  const marks = [...body.matchAll(/<!-- hookctl:([^\n]{1,100}?) -->/g)].map(([, inside = '']) => inside);
  return [branch, ...marks].flatMap((text) => [...text.matchAll(id)].map(([found]) => found));
}
