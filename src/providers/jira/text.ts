import { isJsonObject } from '../../lib/json.ts';
import type { JsonValue } from '../../types.ts';
import { adfToText, fenced, quoted } from './adf.ts';

/** A macro without its end goes on to the end of the text. `{{code}}` is the word "code" in monospace. */
const CODE = /(?<!\{)\{(code|noformat)(?::[^}\n]*)?\}(?!\})([\s\S]*?)(?:\{\1\}|$(?![\s\S]))/g;
const QUOTE = /(?<!\{)\{quote\}(?!\})([\s\S]*?)(?:\{quote\}|$(?![\s\S]))/g;
const QUOTED_LINE = /^[ \t]*bq\. /gm;
const MONOSPACE = /\{\{([^{}\n]+)\}\}/g;

/**
 * What somebody wrote, as text: webhooks carry wiki markup, REST v3 and some apps the Atlassian Document Format. Only
 * quotes and code are turned into Markdown, because they decide what the writer says. Null when it is neither.
 */
export function writtenText(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return wikiToText(value);
  return isJsonObject(value) && value.type === 'doc' ? adfToText(value) : null;
}

function wikiToText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(CODE, (_, _macro, code: string) => `\n${fenced(code.replace(/^\n|\n$/g, ''))}\n`)
    .replace(QUOTE, (_, quote: string) => `\n${quoted(quote.trim())}\n`)
    .replace(QUOTED_LINE, '> ')
    .replace(MONOSPACE, '`$1`');
}
