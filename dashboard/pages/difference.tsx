import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { DeliveryView } from '../../src/views.ts';
import { ErrorNote, Scroll, Section, visible } from '../kit/parts.tsx';
import { go, pathOf, type Route } from '../kit/route.ts';
import { useApi } from '../kit/use.ts';

export interface WholeDelivery extends DeliveryView {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
  readonly body_base64: string | null;
}

export const pathOfDelivery = (id: string) => `/api/deliveries/${encodeURIComponent(id)}`;

export function bytesOf(base64: string | null): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64 ?? ''), (character) => character.charCodeAt(0));
}

/** JSON with its lines indented; other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Lines beyond these are not compared. */
const MOST_LINES = 2_000;

/** What differs between this delivery and another one, line by line. */
export function Difference({
  delivery,
  route,
}: {
  readonly delivery: WholeDelivery;
  readonly route: Route;
}): JSX.Element {
  const other = route.query.get('with') ?? '';
  const [typed, setTyped] = useState(other);
  useEffect(() => setTyped(other), [other]);
  const { data, error } = useApi<WholeDelivery>(other === '' ? null : pathOfDelivery(other));
  const similar = useApi<{ readonly items: readonly DeliveryView[] }>(
    `/api/deliveries?${new URLSearchParams({ webhook: delivery.webhook, limit: '20' })}`,
  );
  const lines = useMemo(
    () => (data === null ? null : differenceOf(linesOf(data), linesOf(delivery))),
    [data, delivery],
  );
  return (
    <Section title="Difference">
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          go(pathOf('deliveries', delivery.id, { with: typed.trim() }), { replace: true });
        }}
      >
        <label>
          <span>Compare with delivery</span>
          <input
            value={typed}
            list="similar"
            placeholder="dlv-…"
            spellcheck={false}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
        <datalist id="similar">
          {similar.data?.items
            .filter(({ id }) => id !== delivery.id)
            .map(({ id, event_type: event, received_at: at }) => (
              <option
                key={id}
                value={id}
              >{`${visible(event ?? '')} ${new Date(at).toLocaleString()}`}</option>
            ))}
        </datalist>
        <button type="submit">Compare</button>
      </form>
      <ErrorNote error={error} />
      {lines !== null && lines.length === 0 && <p class="dim">They are the same.</p>}
      {lines !== null && lines.length > 0 && (
        <Scroll label="Difference">
          {lines.map(({ sign, text }, index) => (
            <div key={index} class={sign === '+' ? 'added' : 'removed'}>
              {`${sign} ${visible(text)}`}
            </div>
          ))}
        </Scroll>
      )}
    </Section>
  );
}

function linesOf({ headers, body_base64: body }: WholeDelivery): readonly string[] {
  const named = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [...named.toSorted(), '', ...pretty(new TextDecoder().decode(bytesOf(body))).split('\n')].slice(
    0,
    MOST_LINES,
  );
}

interface Line {
  readonly sign: '+' | '-';
  readonly text: string;
}

/** Lines that only the one or the other text has, by their longest common subsequence. */
function differenceOf(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row -= 1)
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const at = row * width + column;
      const down = common[at + width] ?? 0;
      const right = common[at + 1] ?? 0;
      common[at] = before[row] === after[column] ? (common[at + width + 1] ?? 0) + 1 : Math.max(down, right);
    }
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const at = row * width + column;
    if (row < before.length && column < after.length && before[row] === after[column]) {
      row += 1;
      column += 1;
    } else if (
      column >= after.length ||
      (row < before.length && (common[at + width] ?? 0) >= (common[at + 1] ?? 0))
    ) {
      lines.push({ sign: '-', text: before[row] ?? '' });
      row += 1;
    } else {
      lines.push({ sign: '+', text: after[column] ?? '' });
      column += 1;
    }
  }
  return lines;
}
