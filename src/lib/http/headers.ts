import type { Headers } from '../../types.ts';

/** Headers as Node has them, with one text for each name: repeated ones are joined by commas (RFC 9110, 5.3). */
export function flattenHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Headers {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}
