import { z } from 'zod';
import type { Diagnostic } from '../../errors.ts';
import { issuesOf, type Position, type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { isJsonObject } from '../../lib/json.ts';
import { readJsonText } from '../../lib/json-syntax.ts';
import type { Issue } from '../../types.ts';
import { jsonSource } from '../yaml.ts';
import { SCHEMA_VERSION } from './files.ts';
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
  const read = readJsonText(text);
  if (!read.ok) {
    return refuse({
      file,
      ...lineAndColumn(text, read.offset),
      message: `is not valid JSON: ${read.message}`,
    });
  }
  const source = jsonSource(file, text);
  const value = inPresentWords(read.value);
  const version = versionIssue(value);
  if (version !== null) return refuse(toDiagnostic(source, version));
  const result = dbSchema.safeParse(value);
  return result.success
    ? { ok: true, state: { webhooks: result.data.webhooks }, source }
    : { ok: false, problems: issuesOf(dbSchema, result.error).map((issue) => toDiagnostic(source, issue)) };
}

/** The value of the text, in which commands of former versions name `target_agent` `agent`. */
function inPresentWords(value: unknown): unknown {
  return withEach(value, 'webhooks', (webhook) =>
    withEach(webhook, 'commands', (command) => {
      if (!isJsonObject(command) || !('agent' in command) || 'target_agent' in command) return command;
      const { agent, ...rest } = command;
      return { ...rest, target_agent: agent };
    }),
  );
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

/** 1-based. */
function lineAndColumn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
