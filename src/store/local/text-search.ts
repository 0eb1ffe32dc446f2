import type { DatabaseSync } from 'node:sqlite';
import type { BodyLocation, ReadBody } from './log/body-reader.ts';

/** Adds `holds_text`, by which a text, in its written forms, is looked for in the words of a row, and in the body of a delivery. */
export function addTextSearch(db: DatabaseSync, readBody: ReadBody): void {
  db.function('holds_text', { deterministic: true }, (text, words, id, size, body_segment, body_offset) => {
    const forms = parsed(String(text));
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

/** The same for every row. */
function parsed(text: string): readonly string[] {
  if (last?.text !== text) last = { text, forms: JSON.parse(text) };
  return last.forms;
}
