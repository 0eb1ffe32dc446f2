import type { JsonObject } from '../../types.ts';
import { firstLine, firstText, hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** The issue or pull request; they share one sequence of numbers. */
export function subjectOf(payload: JsonObject): JsonObject | null {
  return objectAt(payload, 'issue') ?? objectAt(payload, 'pull_request');
}

/** Things that events without an issue are about: `run` is Forgejo's. Source: go-gitea/gitea `modules/structs/hook.go`. */
const THINGS = ['workflow_job', 'workflow_run', 'run', 'release', 'package', 'head_commit'] as const;
const COMMITS = [
  ['workflow_job', 'head_sha'],
  ['workflow_run', 'head_sha'],
  ['run', 'commit_sha'],
  ['sha'],
  ['head_commit', 'id'],
  ['after'],
] as const;

function thingOf(payload: JsonObject): JsonObject | undefined {
  return THINGS.map((key) => objectAt(payload, key)).find((found) => found !== null);
}

/** `#42`, `@<commit>`, or the path of a release's page. */
function referenceOf(payload: JsonObject): string | null {
  const number = idAt(subjectOf(payload), 'number');
  if (number !== null) return `#${number}`;
  const base = textAt(payload, 'repository', 'html_url');
  const release = textAt(payload, 'release', 'html_url');
  if (base !== null && release?.startsWith(`${base}/`)) return release.slice(base.length);
  const commit = commitOf(payload);
  return commit === null ? null : `@${commit}`;
}

function commitOf(payload: JsonObject): string | null {
  const commit = COMMITS.map((path) => textAt(payload, ...path)).find(
    (sha) => sha !== null && /^[0-9a-f]{7,64}$/i.test(sha) && !/^0+$/.test(sha),
  );
  return commit?.toLowerCase() ?? null;
}

/** Of the repository's own number, which a rename or transfer of it does not change. */
export function stableIds(payload: JsonObject): readonly string[] {
  const host = hostOf(textAt(payload, 'repository', 'html_url'));
  const repository = idAt(payload, 'repository', 'id');
  const reference = referenceOf(payload);
  if (host === null || repository === null || reference === null) return [];
  return [`gitea:${host}/repository/${repository}${reference}`];
}

/** `gitea:git.example.com/owner/repo#42`: everybody hosts it themselves, so that the host is always part of it. */
export function externalId(payload: JsonObject): string | null {
  const repository = textAt(payload, 'repository', 'full_name');
  const reference = referenceOf(payload);
  if (!repository || reference === null) return null;
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? '';
  const id = `gitea:${host}/${repository}${reference}`.toLowerCase();
  return /\s/.test(id) ? null : id;
}

/** How the thing that an event is about is called; at least its repository. */
export function titleOf(payload: JsonObject): string | null {
  const subject = subjectOf(payload);
  if (subject !== null) return textAt(subject, 'title');
  const thing = thingOf(payload);
  return firstLine(
    firstText([
      textAt(thing, 'display_title'),
      textAt(thing, 'title'),
      textAt(thing, 'name'),
      textAt(thing, 'tag_name'),
      textAt(thing, 'message'),
      textAt(payload, 'context'),
      textAt(objectsAt(payload, 'commits').at(-1), 'message'),
      textAt(payload, 'page'),
      textAt(payload, 'ref'),
      textAt(payload, 'repository', 'full_name'),
    ]),
  );
}

/** The page of that thing, else of its repository. Of a fork, `forkee` is the repository that was forked, `repository` the new one. */
export function urlOf(payload: JsonObject): string | null {
  const thing = thingOf(payload);
  return firstText([
    textAt(payload, 'comment', 'html_url'),
    textAt(subjectOf(payload), 'html_url'),
    textAt(thing, 'html_url'),
    textAt(thing, 'url'),
    textAt(payload, 'commit', 'html_url'),
    builtPage(payload),
    textAt(payload, 'compare_url'),
    textAt(payload, 'repository', 'html_url'),
  ]);
}

/** Where the payload names no page: of an issue (older versions), a branch or tag that was made, a page of the wiki, a commit. */
function builtPage(payload: JsonObject): string | null {
  const page = textAt(payload, 'repository', 'html_url');
  const number = idAt(subjectOf(payload), 'number');
  const commit = commitOf(payload);
  const [ref, wiki] = [textAt(payload, 'ref'), textAt(payload, 'page')];
  if (page === null) return null;
  if (number !== null)
    return `${page}/${objectAt(payload, 'pull_request') === null ? 'issues' : 'pulls'}/${number}`;
  if (wiki !== null) return `${page}/wiki/${encodeURIComponent(wiki)}`;
  if (commit === null) return null;
  const kind = textAt(payload, 'ref_type');
  return ref !== null && (kind === 'tag' || kind === 'branch')
    ? `${page}/src/${kind}/${encodeURI(ref)}`
    : textAt(payload, 'compare_url') === null
      ? `${page}/commit/${commit}`
      : null;
}
