import { isJsonObject } from '../../lib/json.ts';
import type { JsonValue, WebhookEvent } from '../../types.ts';
import { adfToText } from './adf.ts';

/**
 * What somebody wrote, and how: webhooks carry wiki markup, REST v3 and some apps the Atlassian Document Format. The text is null when
 * it is neither.
 */
export function writtenText(
  value: JsonValue | undefined,
): Pick<WebhookEvent, 'text'> & Required<Pick<WebhookEvent, 'textFormat'>> {
  if (isJsonObject(value) && value.type === 'doc') return adfToText(value);
  return {
    text: typeof value === 'string' ? value.replaceAll('\r\n', '\n') : null,
    textFormat: 'jira-wiki',
  };
}
