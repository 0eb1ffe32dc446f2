import { REDACTED } from '../../lib/redact/redact.ts';
import { isSecretName } from '../../lib/redact/secret-names.ts';

export type Redact = (text: string) => string;

/**
 * Fields that stay as they came. Bytes, headers and query of a delivery, or nothing could verify it again; keys and
 * identifiers, which are compared; places and paths, which are followed.
 */
const EXACT = /^(?:headers|query|body|dedupeKeys|place|revision|folder|logPath|id|\w+Ids?)$/;

/**
 * The one place where words become rows: whatever a method that writes is given, on every level, loses its secrets
 * first. A new method or field is included without another line.
 */
export function redacting<Writes extends object>(writes: Writes, redact: Redact): Writes {
  const entries = Object.entries(writes).map(([name, write]) => [
    name,
    (...given: readonly unknown[]) => write(...given.map((each) => withoutSecrets(each, redact))),
  ]);
  return Object.fromEntries(entries) as Writes;
}

/** The same value, its texts without secrets. */
export function withoutSecrets<Value>(value: Value, redact: Redact): Value {
  return cleaned(value, redact) as Value;
}

function cleaned(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, redact));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const clean = ([name, field]: [string, unknown]) =>
    [name, cleanedField(fields, name, field, redact)] as const;
  // Not by assignment: `__proto__` is a name of a field like any other.
  return Object.fromEntries(Object.entries(fields).map(clean));
}

function cleanedField(
  owner: Readonly<Record<string, unknown>>,
  name: string,
  field: unknown,
  redact: Redact,
): unknown {
  // The content of a forward is its URL, the key of a claim is compared.
  const isExact =
    EXACT.test(name) ||
    (owner.kind === 'forward' && name === 'content') ||
    (owner.kind === 'claim' && name === 'key');
  if (isExact) return field;
  return typeof field === 'string' && isSecretName(name) && field !== '' ? REDACTED : cleaned(field, redact);
}
