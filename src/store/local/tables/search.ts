import type { DatabaseSync } from 'node:sqlite';
import { idFloor } from '../../../lib/ids.ts';
import type { SearchFilter } from '../../selection.ts';
import type { BodyLocation, ReadBody } from '../log/body-reader.ts';

/** Conditions of the filters that search a list, on columns of `deliveries`. */
type DeliveryConditions = Readonly<Record<string, string | number | undefined>>;

/** An id is made just before the moment that its row names. */
export const SLACK_MS = 60_000;

/** What `--event`, `--sender` and the times select, in a list of deliveries. */
export function searchDeliveries({ text, since, until, from, ...row }: SearchFilter): DeliveryConditions {
  const floor = since === undefined ? undefined : idFloor('dlv', since - SLACK_MS);
  return {
    ...rowConditions(row),
    'id >= ?': floor === undefined || (from !== undefined && from > floor) ? from : floor,
    'received_at >= ?': since,
    'received_at <= ?': until,
    [`holds_text(?, ${DELIVERY_WORDS}, id, size, body_segment, body_offset)`]: text,
  };
}

/** The same in a list of tasks: event and sender are those of the delivery that made the task. */
export function searchTasks({
  text,
  since,
  until,
  from,
  externalId,
  ...row
}: SearchFilter): DeliveryConditions {
  const made = Object.entries(rowConditions(row)).map(([condition, value]) => [
    `exists (select 1 from deliveries where deliveries.id = tasks.delivery_id and deliveries.${condition})`,
    value,
  ]);
  return {
    ...Object.fromEntries(made),
    'id >= ?': from,
    'external_id = ?': externalId,
    'created_at >= ?': since,
    'created_at <= ?': until,
    [`holds_text(?, ${TASK_WORDS}, null, 0, null, null)`]: text,
  };
}

function rowConditions({ event, externalId, sender }: SearchFilter): DeliveryConditions {
  const group = event?.endsWith('.*') ? event.slice(0, -1) : undefined;
  return {
    'event_type = ?': group === undefined && event !== '*' ? event : undefined,
    'event_type >= ?': group,
    // `/` follows `.`
    'event_type < ?': group === undefined ? undefined : `${group.slice(0, -1)}/`,
    'external_id = ?': externalId,
    'sender_name = ? collate nocase': sender?.replace(/^@/, ''),
  };
}

const DELIVERY_WORDS = 'concat_ws(char(10), id, webhook, event_type, external_id, sender_name, reason)';
const TASK_WORDS = 'concat_ws(char(10), id, title, prompt, result, error, external_id)';

/** Adds `holds_text`, by which `text` is looked for in the words of a row, and in the body of a delivery. */
export function addTextSearch(db: DatabaseSync, readBody: ReadBody): void {
  db.function('holds_text', { deterministic: true }, (text, words, id, size, body_segment, body_offset) => {
    const forms = writtenForms(String(text));
    if (
      String(words)
        .toLowerCase()
        .includes(forms[0] ?? '')
    )
      return 1;
    if (id === null) return 0;
    const location = { id, size, body_segment, body_offset } as BodyLocation;
    const body = bodyText(readBody, location);
    return forms.some((form) => body.includes(form)) ? 1 : 0;
  });
}

/** What can't be read holds nothing. */
function bodyText(readBody: ReadBody, location: BodyLocation): string {
  try {
    return Buffer.from(readBody(location) ?? [])
      .toString('utf8')
      .toLowerCase();
  } catch {
    return '';
  }
}

let last: { readonly text: string; readonly forms: readonly string[] } | null = null;

/** How a body may have written a text: as it is, in a JSON string with or without other letters escaped, in a form. */
function writtenForms(text: string): readonly string[] {
  if (last?.text === text) return last.forms;
  const plain = text.toLowerCase();
  const json = JSON.stringify(plain).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const form = new URLSearchParams({ '': plain }).toString().slice(1).toLowerCase();
  last = { text, forms: [...new Set([plain, json, ascii, form])] };
  return last.forms;
}
