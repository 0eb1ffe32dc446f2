import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { type Right, useRefusal } from './access.ts';
import { ask } from './api.ts';
import { Button, DoingNote, Scroll, visible } from './parts.tsx';
import { useDoing } from './use.ts';

/** One field of a form, sent under its name; an empty one is left out. */
export interface Field {
  readonly name: string;
  readonly label: string;
  /** Default: one line of text. `check` sends true or false, `time` ISO 8601. */
  readonly type?: 'check' | 'area' | 'time';
  readonly choices?: readonly string[];
  readonly required?: boolean;
  /** Where it begins. */
  readonly value?: string;
}

type Values = Readonly<Record<string, string | boolean>>;

interface ActionFormProps<T> {
  readonly title: string;
  /** Where it is sent to; the fields may be part of it. */
  readonly path: string | ((values: Values) => string);
  readonly fields?: readonly Field[];
  /** Of the button; default the title. */
  readonly word?: string;
  readonly tone?: 'main' | 'bad';
  readonly needs?: Right;
  /** What a person has to say yes to before. */
  readonly confirming?: string;
  /** What is sent; default the fields. */
  readonly bodyOf?: (values: Values) => unknown;
  /** What is said when it went well. */
  readonly done: (answer: T) => string;
  /** Whether the answer is shown whole, too. */
  readonly isShown?: boolean;
  readonly reload?: () => void;
}

/** One operation of the API as a form that is opened when it is wanted. */
export function ActionForm<T>(props: ActionFormProps<T>): JSX.Element {
  const { title, path, fields = [], word = title, tone, confirming, isShown = false } = props;
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(
      fields.map(({ name, type, value }) => [name, type === 'check' ? false : (value ?? '')]),
    ),
  );
  const [answer, setAnswer] = useState<T | null>(null);
  const doing = useDoing();
  const refusal = useRefusal(props.needs);
  const send = () => {
    if (confirming !== undefined && !confirm(confirming)) return;
    doing.run(async () => {
      setAnswer(null);
      const given = await ask<T>(
        'POST',
        typeof path === 'string' ? path : path(values),
        (props.bodyOf ?? bodyOf(fields))(values),
      );
      if (isShown) setAnswer(given);
      props.reload?.();
      return props.done(given);
    });
  };
  if (refusal !== null)
    return (
      <details>
        <summary class="dim">{title}</summary>
        <p class="dim">{refusal}</p>
      </details>
    );
  return (
    <details>
      <summary>{title}</summary>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {fields.map((field) => (
          <FormField
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            set={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
          />
        ))}
        <button type="submit" class={tone ?? ''} disabled={doing.isBusy}>
          {word}
        </button>
      </form>
      <DoingNote doing={doing} />
      {answer !== null && <Scroll label="Answer">{visible(JSON.stringify(answer, null, 2))}</Scroll>}
    </details>
  );
}

const bodyOf =
  (fields: readonly Field[]) =>
  (values: Values): unknown =>
    Object.fromEntries(
      fields.flatMap(({ name, type }) => {
        const value = values[name] ?? '';
        if (value === '') return [];
        return [[name, type === 'time' ? new Date(String(value)).toISOString() : value]];
      }),
    );

interface FormFieldProps {
  readonly field: Field;
  readonly value: string | boolean;
  readonly set: (value: string | boolean) => void;
}

function FormField({ field, value, set }: FormFieldProps): JSX.Element {
  const { label, type, choices, required = false } = field;
  const id = useId();
  if (type === 'check')
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => set(currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
    );
  const shared = { id, required, spellcheck: false, value: String(value) };
  return (
    <label htmlFor={id}>
      <span>{label}</span>
      {choices !== undefined ? (
        <select {...shared} onChange={({ currentTarget }) => set(currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : type === 'area' ? (
        <textarea {...shared} rows={5} onInput={({ currentTarget }) => set(currentTarget.value)} />
      ) : type === 'time' ? (
        <input {...shared} type="datetime-local" onInput={({ currentTarget }) => set(currentTarget.value)} />
      ) : (
        <input {...shared} onInput={({ currentTarget }) => set(currentTarget.value)} />
      )}
    </label>
  );
}

interface ActionButtonProps<T> {
  readonly word: string;
  readonly path: string;
  readonly method?: 'POST' | 'DELETE';
  readonly body?: object;
  readonly tone?: 'main' | 'bad';
  readonly needs?: Right;
  readonly confirming?: string;
  readonly done: (answer: T) => string;
  readonly reload?: () => void;
}

/** One operation of the API that needs no more words; how it went is said beside it. */
export function ActionButton<T>(props: ActionButtonProps<T>): JSX.Element {
  const { word, path, method = 'POST', body = {}, tone, confirming } = props;
  const doing = useDoing();
  const send = () => {
    if (confirming !== undefined && !confirm(confirming)) return;
    doing.run(async () => {
      const given = await ask<T>(method, path, method === 'POST' ? body : undefined);
      props.reload?.();
      return props.done(given);
    });
  };
  return (
    <>
      <Button
        disabled={doing.isBusy}
        onClick={send}
        {...(props.needs !== undefined && { needs: props.needs })}
        {...(tone !== undefined && { tone })}
      >
        {word}
      </Button>
      <DoingNote doing={doing} />
    </>
  );
}
