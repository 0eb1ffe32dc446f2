import { idFloor } from '../../../lib/ids.ts';
import { OPERATOR } from '../../../types/webhook.ts';
import type { SearchFilter } from '../../selection.ts';

/** Conditions of the filters that search a list, on columns of `deliveries`. */
type DeliveryConditions = Readonly<Record<string, string | number | undefined>>;

/** An id is made just before the moment that its row names. */
export const SLACK_MS = 60_000;

/** A condition with one place. Of owners but the operator an index knows the rows (`… where owner <> 'operator'`). */
export function ownerIs(owner: string | undefined): string {
  return owner === OPERATOR ? 'owner = ?' : `owner = ? and owner <> '${OPERATOR}'`;
}

/** The same behind other conditions, with `:owner`; empty where no owner is wanted. */
export function ownedBy(owner: string | undefined, column = 'owner'): string {
  if (owner === undefined) return '';
  return `and ${column} = :owner${owner === OPERATOR ? '' : ` and ${column} <> '${OPERATOR}'`}`;
}

/** What `--event`, `--sender` and the times select, in a list of deliveries. */
export function searchDeliveries({ text, since, until, from, ...row }: SearchFilter): DeliveryConditions {
  const floor = since === undefined ? undefined : idFloor('dlv', since - SLACK_MS);
  return {
    ...rowConditions(row),
    'id >= ?': floor === undefined || (from !== undefined && from > floor) ? from : floor,
    'received_at >= ?': since,
    'received_at <= ?': until,
    [`holds_text(?, ${DELIVERY_WORDS}, id, size, body_segment, body_offset)`]: formsOf(text),
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
    [`holds_text(?, ${TASK_WORDS}, null, 0, null, null)`]: formsOf(text),
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

/**
 * How a body may have written a text, as a JSON list: as it is, in a JSON string with or without other letters escaped, in a
 * form. The first is the text itself; all are in small letters.
 */
function formsOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const plain = text.toLowerCase();
  const json = JSON.stringify(plain).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const form = new URLSearchParams({ '': plain }).toString().slice(1).toLowerCase();
  return JSON.stringify([...new Set([plain, json, ascii, form])]);
}
