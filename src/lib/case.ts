/** `targetAgent` → `target_agent`, as a type. Runs of capitals and digits do not occur in field names. */
type SnakeCased<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCased<Tail>}`
    : `_${Lowercase<Head>}${SnakeCased<Tail>}`
  : S;

/** `target_agent` → `targetAgent`, as a type. */
type CamelCased<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCased<Tail>>}`
  : S;

/** An object with its own keys in snake_case; its values stay as they are. */
export type SnakeKeys<T> = { [K in keyof T as K extends string ? SnakeCased<K> : K]: T[K] };

/** An object with its own keys in camelCase; its values stay as they are. */
type CamelKeys<T> = { [K in keyof T as K extends string ? CamelCased<K> : K]: T[K] };

/** `SnakeKeys`, with times (`at`, `createdAt`, epoch milliseconds) as text. */
type SnakeFields<T> = {
  [K in keyof T as K extends string ? SnakeCased<K> : K]: K extends 'at' | `${string}At`
    ? null extends T[K]
      ? string | null
      : string
    : T[K];
};

/** `targetAgent` → `target_agent`. */
export function snakeCased(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `target_agent` → `targetAgent`. */
export function camelCased(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A copy whose own keys are in snake_case, as the JSON db, the API and task files write them. */
export function snakeKeys<T extends object>(value: T): SnakeKeys<T> {
  return renamed(value, snakeCased) as SnakeKeys<T>;
}

/** A copy whose own keys are in camelCase, as code and YAML write them. */
export function camelKeys<T extends object>(value: T): CamelKeys<T> {
  return renamed(value, camelCased) as CamelKeys<T>;
}

/** How a field of a record is written outside, found once for each name. */
const FIELDS = new Map<string, { readonly name: string; readonly isTime: boolean }>();

function fieldOf(key: string): { readonly name: string; readonly isTime: boolean } {
  const known = FIELDS.get(key);
  if (known !== undefined) return known;
  const field = { name: snakeCased(key), isTime: key === 'at' || key.endsWith('At') };
  FIELDS.set(key, field);
  return field;
}

/** The same for a record: times are ISO 8601. */
export function snakeFields<T extends object>(value: T): SnakeFields<T> {
  const entries = Object.entries(value).map(([key, inner]) => {
    const { name, isTime } = fieldOf(key);
    return [name, isTime && typeof inner === 'number' ? new Date(inner).toISOString() : inner];
  });
  return Object.fromEntries(entries) as SnakeFields<T>;
}

function renamed(value: object, name: (key: string) => string): object {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), inner]));
}
