import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useOwner } from './access.ts';
import { useKeys } from './keys.ts';
import { go, pathOf, type Route } from './route.ts';

/** One filter of a list: a text, a choice, or a time. */
export interface Filter {
  readonly name: string;
  readonly label: string;
  /** What is shown where none of the choices is in the address; `any` when it is left out. */
  readonly none?: string;
  /** Values to choose from; any text when it is left out. */
  readonly choices?: readonly string[];
  readonly type?: 'datetime-local';
}

interface FiltersProps {
  readonly route: Route;
  readonly filters: readonly Filter[];
}

/** Typing is over after so long, in milliseconds. */
const TYPED_MS = 250;

/** Filters that are in the address, so that a link, a reload and the way back keep them. `/` goes to the first. */
export function Filters({ route, filters: all }: FiltersProps): JSX.Element | null {
  // With the token of an owner everything is that owner's.
  const owner = useOwner();
  const filters = all.filter(({ name }) => owner === null || name !== OWNER.name);
  const form = useRef<HTMLFormElement>(null);
  useKeys({
    '/': () => form.current?.querySelector<HTMLElement>('input, select')?.focus(),
  });
  const set = (name: string, value: string) => {
    const query = { ...Object.fromEntries(route.query), [name]: value };
    go(pathOf(route.page, route.id, query), { replace: true });
  };
  if (filters.length === 0) return null;
  const isFiltered = filters.some(({ name }) => route.query.get(name));
  return (
    <form ref={form} class="filters" onSubmit={(event) => event.preventDefault()} aria-label="Filters">
      {filters.map((filter) => (
        <Field key={filter.name} filter={filter} value={route.query.get(filter.name) ?? ''} set={set} />
      ))}
      {isFiltered && (
        <button type="button" onClick={() => go(pathOf(route.page, route.id), { replace: true })}>
          Clear
        </button>
      )}
    </form>
  );
}

interface FieldProps {
  readonly filter: Filter;
  readonly value: string;
  readonly set: (name: string, value: string) => void;
}

function Field({
  filter: { name, label, choices, type, none = 'any' },
  value,
  set,
}: FieldProps): JSX.Element {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => set(name, typed), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed, value, name, set]);
  const id = useId();
  const field = {
    id,
    name,
    value: typed,
    onInput: ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) =>
      setTyped(currentTarget.value),
    autocomplete: 'off' as const,
    spellcheck: false,
  };
  return (
    <label htmlFor={id}>
      <span>{label}</span>
      {choices === undefined ? (
        type === undefined ? (
          <input type="search" {...field} />
        ) : (
          <input type={type} {...field} />
        )
      ) : (
        <select
          id={id}
          name={name}
          value={value}
          onChange={({ currentTarget }) => set(name, currentTarget.value)}
        >
          <option value="">{none}</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      )}
    </label>
  );
}

/** The query of the API for the filters of the address. */
export function apiQuery(
  route: Route,
  filters: readonly Filter[],
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams(more);
  for (const { name, type } of filters) {
    const value = route.query.get(name) ?? '';
    if (value === '') continue;
    const date = type === undefined ? null : new Date(value);
    if (date === null) query.set(name, value);
    else if (!Number.isNaN(date.getTime())) query.set(name, date.toISOString());
  }
  return query.toString();
}

/** Whose things are shown. The links to the other pages keep it. */
export const OWNER: Filter = { name: 'owner', label: 'Owner' };

/** What deliveries and tasks are searched by. */
export const SEARCH: readonly Filter[] = [
  { name: 'text', label: 'Text' },
  { name: 'event', label: 'Event' },
  { name: 'external_id', label: 'External id' },
  { name: 'sender', label: 'Sender' },
  { name: 'since', label: 'Since', type: 'datetime-local' },
  { name: 'until', label: 'Until', type: 'datetime-local' },
  OWNER,
];
