import { inspect } from 'node:util';
import type { Secret } from '../types.ts';
import { REDACTED } from './redact.ts';

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
