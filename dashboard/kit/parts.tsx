import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Right, useRefusal } from './access.ts';
import { Problem } from './api.ts';
import { pathOf } from './route.ts';
import type { Doing } from './use.ts';

/** `14:03:21`, with the day where it is another one. */
export function Time({ at }: { readonly at: string | null }): JSX.Element {
  if (at === null) return <span class="dim">–</span>;
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday ? date.toLocaleTimeString() : date.toLocaleString();
  return (
    <time dateTime={at} title={date.toISOString()}>
      {text}
    </time>
  );
}

const TONES: Readonly<Record<string, string>> = {
  processed: 'good',
  completed: 'good',
  sent: 'good',
  up: 'good',
  enabled: 'good',
  failed: 'bad',
  rejected: 'bad',
  unparsed: 'bad',
  interrupted: 'bad',
  down: 'bad',
  running: 'busy',
  pending: 'busy',
  waiting: 'busy',
  queued: 'busy',
  held: 'warn',
  waiting_approval: 'warn',
  waiting_answer: 'warn',
};

/** A state, by word and colour. */
export function State({ of: state }: { readonly of: string }): JSX.Element {
  return <span class={`state ${TONES[state] ?? 'plain'}`}>{state.replaceAll('_', ' ')}</span>;
}

export function ErrorNote({ error }: { readonly error: Error | null }): JSX.Element | null {
  if (error === null) return null;
  const { fix, mistakes } = error instanceof Problem ? error : { fix: null, mistakes: [] };
  return (
    <div class="note bad" role="alert">
      <p>{error.message}</p>
      {mistakes.length > 0 && (
        <ul>
          {mistakes.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {fix !== null && <p>{fix}</p>}
    </div>
  );
}

/** How the last thing went that a person had done. */
export function DoingNote({ doing: { isBusy, error, done } }: { readonly doing: Doing }): JSX.Element {
  return (
    <div aria-live="polite">
      {isBusy && <p class="dim">Working …</p>}
      {done !== null && <p class="note good">{done}</p>}
      <ErrorNote error={error} />
    </div>
  );
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly tone?: 'main' | 'bad';
  readonly needs?: Right;
}

export function Button({ children, onClick, disabled = false, tone, needs }: ButtonProps): JSX.Element {
  const refusal = useRefusal(needs);
  return (
    <button
      type="button"
      class={tone ?? ''}
      disabled={disabled || refusal !== null}
      {...(refusal !== null && { title: refusal, 'aria-description': refusal })}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

type Fact = readonly [name: string, value: ComponentChildren];

/** Names and values; what has no value is left out. */
export function Facts({ of: facts }: { readonly of: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

interface SectionProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
}

export function Section({ title, children, actions }: SectionProps): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <header class="bar">
        <h2>{title}</h2>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Control and direction characters in a visible form, so that a text looks like what it is. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    if (character === '\n' || character === '\t') return character;
    const code = character.codePointAt(0) ?? 0;
    return code < 0x20
      ? String.fromCodePoint(0x2400 + code)
      : `⟦U+${code.toString(16).toUpperCase().padStart(4, '0')}⟧`;
  });
}

interface ScrollProps {
  readonly label: string;
  readonly children: ComponentChildren;
  readonly look?: 'text' | 'wide';
}

/** A part that scrolls by itself, also by keys. */
export function Scroll({ label, children, look = 'text' }: ScrollProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys have to reach it.
    <section class={look} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

const SHOWN_AT_ONCE = 100_000;

/** Text from outside, as text. A long one is shown in parts, so that the page stays quick. */
export function Text({ of: text, label }: { readonly of: string; readonly label: string }): JSX.Element {
  const [length, setLength] = useState(SHOWN_AT_ONCE);
  return (
    <>
      <Scroll label={label}>{visible(text.slice(0, length))}</Scroll>
      {text.length > length && (
        <p class="row">
          <span class="dim">
            {length.toLocaleString()} of {text.length.toLocaleString()} characters
          </span>
          <Button onClick={() => setLength(length * 4)}>Show more</Button>
        </p>
      )}
    </>
  );
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** In front of the page until it is closed; Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-label={title}>
      <header class="bar">
        <h2>{title}</h2>
        <Button onClick={() => dialog.current?.close()}>Close</Button>
      </header>
      {children}
    </dialog>
  );
}

/** A link to one thing. */
export function Ref({ page, id }: { readonly page: string; readonly id: string | null }): JSX.Element {
  if (id === null) return <span class="dim">–</span>;
  return (
    <a class="id" href={pathOf(page, id)}>
      {id}
    </a>
  );
}

/** Only what a browser opens safely becomes a link. */
export function Outside({ url }: { readonly url: string | null }): JSX.Element | null {
  if (url === null) return null;
  if (!/^https?:\/\//.test(url)) return <span>{visible(url)}</span>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener">
      {visible(url)}
    </a>
  );
}

export function dollars(usd: number | null): string | null {
  return usd === null ? null : `$${usd.toFixed(usd > 0 && usd < 1 ? 4 : 2)}`;
}

export function duration(ms: number | null): string | null {
  if (ms === null) return null;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** What stands where a list has nothing to show. */
export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}
