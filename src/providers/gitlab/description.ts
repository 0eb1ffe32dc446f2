import type { JsonObject } from '../../types.ts';
import { firstLine, firstText, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { pageOf, projectPage, subjectOf } from './reference.ts';

/**
 * How the thing that an event is about is called: the issue or merge request, else the pipeline, job, release, commit, …; of a system
 * hook the project, group or user. Source: docs.gitlab.com, "Webhook events", "System hooks".
 */
export function titleOf(payload: JsonObject): string | null {
  const commits = objectsAt(payload, 'commits');
  const newest = commits.at(-1);
  return firstLine(
    firstText([
      textAt(subjectOf(payload) ?? undefined, 'title'),
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
export function urlOf(payload: JsonObject): string | null {
  return firstText([
    jobPage(payload),
    pageOf(payload),
    textAt(payload, 'deployable_url'),
    textAt(payload, 'commit_url'),
    textAt(objectsAt(payload, 'commits').at(-1), 'url'),
    textAt(objectAt(payload, 'commit') ?? undefined, 'url'),
    projectPage(payload),
    textAt(payload, 'group', 'web_url'),
  ]);
}

function jobPage(payload: JsonObject): string | null {
  const [page, job] = [projectPage(payload), idAt(payload, 'build_id')];
  return page === null || job === null ? null : `${page}/-/jobs/${job}`;
}
