import { REDACTED } from '../../lib/redact/redact.ts';
import { isSecretName } from '../../lib/redact/secret-names.ts';

export type Redact = (text: string) => string;

/**
 * Fields that stay as they came. Bytes, headers and query of a delivery, or nothing could verify it again; keys and
 * identifiers, which are compared; places and paths, which are followed.
 */
const EXACT = /^(?:headers|query|body|dedupeKeys|place|revision|folder|logPath|id|\w+Ids?)$/;

/** Names of fields of which the kind is remembered. */
const MOST_NAMES = 500;

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

/** A copy only where something changed: most of what is written holds no secret. */
function cleaned(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => cleaned(item, redact));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    const clean = cleanedField(fields, name, redact);
    if (clean === field) continue;
    copy ??= { ...fields };
    // Not by assignment: `__proto__` is a name of a field like any other.
    Object.defineProperty(copy, name, { value: clean, enumerable: true, writable: true, configurable: true });
  }
  return copy ?? value;
}

/** What becomes of a field by its name alone: `secret` ones are replaced whole. */
type Kind = 'exact' | 'secret' | 'text';

const knownNames = new Map<string, Kind>();

function kindOf(name: string): Kind {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const kind = EXACT.test(name) ? 'exact' : isSecretName(name) ? 'secret' : 'text';
  // Payloads bring names without end.
  if (knownNames.size < MOST_NAMES) knownNames.set(name, kind);
  return kind;
}

function cleanedField(owner: Readonly<Record<string, unknown>>, name: string, redact: Redact): unknown {
  const field = owner[name];
  const kind = kindOf(name);
  if (kind === 'exact') return field;
  // The content of a forward is its URL, the key of a claim is compared.
  if (name === 'content' && owner.kind === 'forward') return field;
  if (name === 'key' && owner.kind === 'claim') return field;
  return kind === 'secret' && typeof field === 'string' && field !== '' ? REDACTED : cleaned(field, redact);
}
