import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../errors.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue, RawRequest } from '../../types.ts';
import type { OtherBody } from './settings.ts';

/** Fields, or the JSON text that one of them holds; or why the body cannot be read. */
type Content =
  | { readonly ok: true; readonly value: JsonObject | string }
  | { readonly ok: false; readonly reason: string };

/** Longer documents hold up everything else for a second or more. */
const LARGEST_XML = 1024 * 1024;
/** Senders have a few dozen fields. */
const MOST_FIELDS = 1_000;
const MOST_FILES = 100;
const LONGEST_FIELD = 1024 * 1024;

/** Reads a body that is not JSON. Never rejects on bad content. */
export async function readBody(kind: OtherBody, request: RawRequest, formField: string): Promise<Content> {
  switch (kind) {
    case 'empty':
      return { ok: true, value: {} };
    case 'form':
      return withJsonField(formOf(request), formField);
    case 'text': {
      const text = textOf(request);
      return text === null
        ? refuse('the body is not in the charset that it names')
        : { ok: true, value: { text } };
    }
    case 'xml':
      return xmlOf(request);
    case 'multipart':
      return withJsonField(await multipartOf(request), formField);
    default:
      return kind satisfies never;
  }
}

/** Where one field holds the whole event as JSON, that is the payload. */
function withJsonField(content: Content, formField: string): Content {
  const field = content.ok && typeof content.value !== 'string' ? content.value[formField] : undefined;
  return typeof field === 'string' && /^\s*[[{]/.test(field) ? { ok: true, value: field } : content;
}

function formOf({ body }: RawRequest): Content {
  const fields = new Map<string, JsonValue>();
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const pairs = text.split('&', MOST_FIELDS + 1).filter((pair) => pair !== '');
    if (pairs.length > MOST_FIELDS) return refuse(`the form has more than ${MOST_FIELDS} fields`);
    for (const pair of pairs) {
      const [name = '', ...value] = pair
        .split('=')
        .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
      add(fields, name, value.join('='));
    }
  } catch {
    return refuse('the form is not UTF-8 in percent encoding');
  }
  return { ok: true, value: Object.fromEntries(fields) };
}

/** A field that comes again makes a list, so that neither of two readers sees only one of them. */
function add(fields: Map<string, JsonValue>, name: string, value: JsonValue): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else fields.set(name, Array.isArray(before) ? [...before, value] : [before, value]);
}

function textOf({ headers, body }: RawRequest): string | null {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

/** A document type is refused, so that no entity but those of XML itself can be defined. */
async function xmlOf(request: RawRequest): Promise<Content> {
  if (request.body.byteLength > LARGEST_XML) return refuse(`the XML is larger than ${LARGEST_XML / 1024} KB`);
  const text = textOf(request);
  if (text === null) return refuse('the XML is not in the charset that it names');
  const declared = /^\s*<\?xml[^>]*\sencoding=["']([^"']*)/i.exec(text)?.[1] ?? 'utf-8';
  if (
    !/^(?:utf-?8|us-ascii)$/i.test(declared) &&
    !/;\s*charset=/i.test(request.headers['content-type'] ?? '')
  ) {
    return refuse(`the XML is in ${escapeInvisibleLine(declared.slice(0, 20))}, only UTF-8 is read`);
  }
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  if (hasDeclaration(text)) return refuse('the XML has a document type, which is not read');
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true)
      return refuse(`not valid XML in line ${valid.err.line}: ${escapeInvisibleLine(valid.err.msg)}`);
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '_',
      textNodeName: '_text',
      parseTagValue: false,
      parseAttributeValue: false,
      ignoreDeclaration: true,
      ignorePiTags: true,
      // Without a document type: those of XML itself, and characters by number.
      htmlEntities: true,
    });
    const document = parser.parse(text) as JsonObject;
    return Object.keys(document).length === 1
      ? { ok: true, value: document }
      : refuse('not valid XML: it has not one root');
  } catch (error) {
    return refuse(`not valid XML: ${escapeInvisibleLine(messageOf(error))}`);
  }
}

/** Whether anything is declared (`<!DOCTYPE`, `<!ENTITY`) outside of comments and CDATA. Reads the text once. */
function hasDeclaration(text: string): boolean {
  for (let at = text.indexOf('<!'); at >= 0; ) {
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<![CDATA[', at) ? ']]>' : null;
    if (end === null) return true;
    const closed = text.indexOf(end, at + 4);
    if (closed < 0) return false;
    at = text.indexOf('<!', closed + end.length);
  }
  return false;
}

/** Fields as texts; of a file its name, type and size: its bytes are in the stored body. */
async function multipartOf({ headers, body }: RawRequest): Promise<Content> {
  const { Busboy } = await import('@fastify/busboy');
  const fields = new Map<string, JsonValue>();
  let isOver = false;
  let isNameless = false;
  const named = (name: string | undefined, value: JsonValue) => {
    if (name === undefined) isNameless = true;
    else add(fields, name, value);
  };
  const over = () => {
    isOver = true;
  };
  try {
    const parts = new Busboy({
      headers: { 'content-type': headers['content-type'] ?? '' },
      limits: { fields: MOST_FIELDS, files: MOST_FILES, fieldSize: LONGEST_FIELD, fieldNameSize: 200 },
    });
    parts.on('field', (name, value, nameTruncated, valueTruncated) => {
      if (nameTruncated || valueTruncated) over();
      named(name, value);
    });
    parts.on('file', (name, stream, filename, _, contentType) => {
      let size = 0;
      stream.on('data', (chunk: Uint8Array) => {
        size += chunk.byteLength;
      });
      stream.on('end', () => named(name, { filename: filename ?? null, contentType, size }));
    });
    for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parts.on(event, over);
    await pipeline(Readable.from([Buffer.from(body)]), parts);
  } catch (error) {
    return refuse(`the multipart body cannot be read: ${escapeInvisibleLine(messageOf(error))}`);
  }
  if (isNameless) return refuse('a part of the multipart body has no name');
  return isOver
    ? refuse(
        `the multipart body has more than ${MOST_FIELDS} fields or ${MOST_FILES} files, or one that is too long`,
      )
    : { ok: true, value: Object.fromEntries(fields) };
}

function refuse(reason: string): Content {
  return { ok: false, reason };
}
