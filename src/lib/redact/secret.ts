import { inspect } from 'node:util';
import type { Secret } from '../../types.ts';
import { REDACTED } from './redact.ts';

/**
 * A secret as it was read from a variable, a file or a stream, without the line ends around it: `$(cat file)` takes
 * them away, other ways of reading do not, and no sender has a line end in its secret.
 */
export function withoutLineEnds(text: string): string {
  return text.replace(/^[\r\n]+/, '').replace(/[\r\n]+$/, '');
}

/**
 * Wraps a secret so that no log line, JSON, template string or stack trace can show it by accident: only
 * `reveal()` does, and a reader can find every call of it.
 */
export function secret(value: string): Secret {
  return {
    reveal: () => value,
    toString: () => REDACTED,
    toJSON: () => REDACTED,
    [inspect.custom]: () => REDACTED,
  } as Secret;
}
