import type { Headers } from '../../types.ts';

/** Headers as Node has them, with one text for each name: repeated ones are joined by commas (RFC 9110, 5.3). */
export function flattenHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Headers {
  if (isFlat(headers)) return headers;
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

/** Nearly always: Node itself joins all that come twice, but `set-cookie`. */
function isFlat(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): headers is Headers {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

/** Whatever the provider: a sender that was pointed at the wrong endpoint gives its plain token away. */
const NAMES_SECRET = /(?:^|-)(?:token|secret|password|passwd|api-?key|auth)(?:-|$)/;
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** Whether a header (lower case) is a secret itself by its name, so that it is never stored. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.has(name) || NAMES_SECRET.test(name);
}
