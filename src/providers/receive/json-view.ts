import type { JsonView, RawRequest } from '../../types.ts';
import { isForm } from '../kit/form.ts';
import type { OtherBody, ReceiveSettings } from './settings.ts';

/** Which part of the settings says how bodies are read. */
interface BodySettings extends Pick<ReceiveSettings, 'body'> {
  /** Field of a form that holds JSON. */
  readonly formField: string;
}

/**
 * The request as a provider of these settings can read it: its content in JSON. What was signed and is stored are the bytes as they
 * came. Null where they are JSON: the one thing that an ordinary request costs is a look at its first character.
 */
export function jsonViewOf({ body = 'auto', formField }: BodySettings) {
  return (request: RawRequest): Promise<JsonView> | null => {
    const kind = body === 'auto' ? kindOf(request) : body;
    return kind === 'json' ? null : viewed(kind, request, formField);
  };
}

async function viewed(kind: OtherBody, request: RawRequest, formField: string): Promise<JsonView> {
  const { readBody } = await import('./other-bodies.ts');
  const read = await readBody(kind, request, formField);
  if (!read.ok) return read;
  const body = typeof read.value === 'string' ? read.value : JSON.stringify(read.value);
  return {
    ...request,
    headers: { ...request.headers, 'content-type': 'application/json' },
    body: Buffer.from(body),
  };
}

/** What begins as JSON is JSON, whatever the sender calls it: many call it a form or text. */
function kindOf({ headers, body }: RawRequest): 'json' | OtherBody {
  const first = firstSign(body);
  if (first === OPEN_OBJECT || first === OPEN_LIST) return 'json';
  if (body.byteLength === 0) return 'empty';
  if (isForm(headers)) return 'form';
  const type = /^[^;\s]*/.exec(headers['content-type']?.toLowerCase() ?? '')?.[0] ?? '';
  if (type === 'multipart/form-data') return 'multipart';
  if (/^(?:application|text)\/(?:[\w.-]+\+)?xml$/.test(type)) return 'xml';
  return type.startsWith('text/') ? 'text' : 'json';
}

/** Whether a JSON text is a list. */
export function isList(text: Uint8Array): boolean {
  return firstSign(text) === OPEN_LIST;
}

const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;

/** The first byte that is neither blank nor part of a byte order mark. */
function firstSign(body: Uint8Array): number | undefined {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  for (let sign = body[at]; sign === 0x20 || (sign !== undefined && sign >= 9 && sign <= 13); )
    sign = body[++at];
  return body[at];
}
