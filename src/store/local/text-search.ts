import type { DatabaseSync } from 'node:sqlite';
import type { BodyLocation, ReadBody } from './log/body-reader.ts';

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
