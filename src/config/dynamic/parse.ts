import { z } from 'zod';
import type { Diagnostic } from '../../errors.ts';
import { issuesOf, type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Issue } from '../../types.ts';
import { SCHEMA_VERSION } from './files.ts';
import { layoutOf, lineAndColumn, positionIn } from './json-text.ts';
import { type DbState, dbSchema } from './schema.ts';

/** What the text of the db says, by its schema. `source` places further issues. */
type ParsedDb =
  | { readonly ok: true; readonly state: DbState; readonly source: Source }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** Reads the bytes of the db: UTF-8 without BOM, JSON, the right version, the schema. */
export function parseDb(file: string, bytes: Uint8Array): ParsedDb {
  const text = decode(bytes);
  if (typeof text !== 'string') return refuse({ file, line: text.line, message: 'is not valid UTF-8' });
  if (text.trim() === '') return refuse({ file, line: 1, column: 1, message: 'the file is empty' });
  if (text.startsWith('\uFEFF')) {
    const message = 'the file starts with a byte order mark';
    return refuse({ file, line: 1, column: 1, message, fix: 'Save it as UTF-8 without BOM.' });
  }
  const layout = layoutOf(text);
  if (!layout.ok) {
    return refuse({
      file,
      ...lineAndColumn(text, layout.offset),
      message: `is not valid JSON: ${layout.message}`,
    });
  }
  const source: Source = { file, position: (issue) => positionIn(text, layout.root, issue) };
  const value = readJson(text);
  const version = versionIssue(value);
  if (version !== null) return refuse(toDiagnostic(source, version));
  const result = dbSchema.safeParse(value);
  return result.success
    ? { ok: true, state: { webhooks: result.data.webhooks }, source }
    : { ok: false, problems: issuesOf(dbSchema, result.error).map((issue) => toDiagnostic(source, issue)) };
}

/** The value of the text, in which commands of former versions name `target_agent` `agent`. */
function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes('"agent"') ? withEach(value, 'webhooks', inPresentWords) : value;
}

function inPresentWords(webhook: unknown): unknown {
  return withEach(webhook, 'commands', (command) => {
    if (!isJsonObject(command) || 'target_agent' in command) return command;
    return Object.fromEntries(
      Object.entries(command).map(([key, value]) => [key === 'agent' ? 'target_agent' : key, value]),
    );
  });
}

/** The object with each entry of one of its lists changed; anything else as it is. */
function withEach(value: unknown, field: string, change: (entry: unknown) => unknown): unknown {
  const list = isJsonObject(value) ? value[field] : undefined;
  return Array.isArray(list) ? { ...(value as object), [field]: list.map(change) } : value;
}

/** The text of the db for a state. */
export function formatDb({ webhooks }: DbState): string {
  return `${JSON.stringify({ schema_version: SCHEMA_VERSION, webhooks }, null, 2)}\n`;
}

/** The text, or the line (1-based) on which bytes are that no text has. */
function decode(bytes: Uint8Array): string | { readonly line: number } {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return strict.decode(bytes);
  } catch {
    const valid = Buffer.from(bytes).toString('utf8').split('\uFFFD')[0] ?? '';
    return { line: valid.split('\n').length };
  }
}

/** Said before all else: a newer file has fields that only its own hookctl knows. */
function versionIssue(value: unknown): Issue | null {
  const version = z.int().safeParse(isJsonObject(value) ? value.schema_version : undefined).data;
  if (version === undefined || version === SCHEMA_VERSION) return null;
  const message = `the file has schema version ${version}, this hookctl reads version ${SCHEMA_VERSION}`;
  const fix =
    version > SCHEMA_VERSION
      ? 'A newer hookctl wrote it: update this one.'
      : `Write ${SCHEMA_VERSION} if that is what the file holds.`;
  return { path: ['schema_version'], message, fix };
}

function refuse(problem: Diagnostic): ParsedDb {
  return { ok: false, problems: [problem] };
}
