import { hostOf, idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** The issue or pull request; they share one sequence of numbers. */
export function subjectOf(payload: JsonObject): JsonObject | null {
  return objectAt(payload, 'issue') ?? objectAt(payload, 'pull_request');
}

/** Of the repository's own number, which a rename or transfer of it does not change. */
export function stableIds(payload: JsonObject): readonly string[] {
  const host = hostOf(textAt(payload, 'repository', 'html_url'));
  const repository = idAt(payload, 'repository', 'id');
  const number = idAt(subjectOf(payload) ?? undefined, 'number');
  if (host === null || repository === null || number === null) return [];
  return [`gitea:${host}/repository/${repository}#${number}`];
}

/** `gitea:git.example.com/owner/repo#42`: everybody hosts it themselves, so that the host is always part of it. */
export function externalId(payload: JsonObject): string | null {
  const repository = textAt(payload, 'repository', 'full_name');
  const number = idAt(subjectOf(payload) ?? undefined, 'number');
  if (!repository || number === null) return null;
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? '';
  const id = `gitea:${host}/${repository}#${number}`.toLowerCase();
  return /\s/.test(id) ? null : id;
}
