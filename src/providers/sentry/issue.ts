import type { JsonObject, ParseSettings } from '../../types.ts';
import { firstText, hostOf, idAt, objectAt, textAt } from '../kit/payload.ts';

/** Where each resource keeps its issue. A comment has nothing but the number. */
const ISSUE_IDS = [['issue', 'id'], ['event', 'issue_id'], ['error', 'issue_id'], ['issue_id']] as const;

/** Pages for people; `url` of an issue is an API address. */
const WEB_URLS = [['issue', 'web_url'], ['event', 'web_url'], ['error', 'web_url'], ['web_url']] as const;

/**
 * `sentry:<issue id>`, on a self-hosted Sentry `sentry:<host>/<issue id>`; metric alerts have numbers of their own. A
 * comment names no host: a self-hosted Sentry is told by the webhook's `options.baseUrl`.
 */
export function externalIdOf(payload: JsonObject, settings: ParseSettings | undefined): string | null {
  const baseUrl = settings === undefined ? null : textAt(settings.options, 'baseUrl');
  const host = hostOf(baseUrl) ?? hostOf(webUrlOf(payload));
  const place = `sentry:${host === null || /(?:^|\.)sentry\.io$/.test(host) ? '' : `${host}/`}`;
  const issue = first(ISSUE_IDS.map((path) => idAt(payload, 'data', ...path)));
  if (issue !== null) return place + issue;
  if (isPluginAlert(payload)) return place + idAt(payload, 'id');
  const alert = idAt(payload, 'data', 'metric_alert', 'id');
  if (alert !== null) return `${place}metric_alert:${alert}`;
  const installation = idAt(payload, 'data', 'installation', 'uuid');
  return installation === null ? null : `${place}installation:${installation}`;
}

/** An alert of the legacy WebHooks plugin: the issue's own fields at the top, beside its event. */
export function isPluginAlert(payload: JsonObject): boolean {
  return (
    idAt(payload, 'id') !== null &&
    textAt(payload, 'project_slug') !== null &&
    objectAt(payload, 'event') !== null
  );
}

/** The title of what names none of its own: a plugin's alert, a comment, an installation. */
export function titleOf(payload: JsonObject): string | null {
  if (isPluginAlert(payload))
    return firstText([
      textAt(payload, 'event', 'title'),
      textAt(payload, 'message'),
      textAt(payload, 'culprit'),
    ]);
  const issue = idAt(payload, 'data', 'issue_id');
  const project = textAt(payload, 'data', 'project_slug');
  if (issue !== null) return `Issue ${issue}${project === null ? '' : ` of ${project}`}`;
  const app = textAt(payload, 'data', 'installation', 'app', 'slug');
  return app === null ? null : `Installation of ${app}`;
}

/** The page of what an event is about; null when the payload names none. */
export function webUrlOf(payload: JsonObject): string | null {
  const url = first(WEB_URLS.map((path) => textAt(payload, 'data', ...path)));
  return url ?? (isPluginAlert(payload) ? textAt(payload, 'url') : null);
}

function first(values: readonly (string | null)[]): string | null {
  return values.find((value) => value !== null) ?? null;
}
