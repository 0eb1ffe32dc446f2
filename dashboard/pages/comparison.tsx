import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { comparisonView } from '../../src/server/dashboard/comparison.ts';
import { ErrorNote, Scroll, Section, visible } from '../kit/parts.tsx';
import { pathOf } from '../kit/route.ts';
import { useApi } from '../kit/use.ts';

type ComparisonView = ReturnType<typeof comparisonView>;

interface ComparisonProps {
  /** Of the webhook in the API. */
  readonly path: string;
  readonly name: string;
}

const MONTH_MS = 30 * 86_400_000;

/** Its variants side by side, and what in shadow would differ: the same as `hookctl webhook compare`. */
export function Comparison({ path, name }: ComparisonProps): JSX.Element | null {
  const [since] = useState(() => new Date(Date.now() - MONTH_MS).toISOString());
  const { data, error } = useApi<ComparisonView>(`${path}/compare?${new URLSearchParams({ since })}`, {
    on: ['delivery', 'task'],
    wants: (event) => event.type !== 'delivery' || event.webhook === name,
  });
  if (data !== null && data.variants.length === 0 && data.shadows.length === 0) return null;
  return (
    <Section title="Variants of the last 30 days">
      <ErrorNote error={error} />
      {data?.statements.map((text) => (
        <p key={text}>{visible(text)}</p>
      ))}
      {data !== null && data.variants.length > 0 && (
        <Scroll label="Variants" look="wide">
          <table>
            <thead>
              <tr>
                {['Variant', 'Deliveries', 'Fired', 'Tasks', 'Completed', 'Failed'].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.variants.map((row) => (
                <tr key={row.name}>
                  <td>{visible(row.name)}</td>
                  <td>{row.deliveries}</td>
                  <td>{row.fired}</td>
                  <td>{row.tasks}</td>
                  <td>{row.completed}</td>
                  <td>{row.failed}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {data?.shadows.map(({ name: variant, deliveries, differing }) => (
        <p key={variant}>
          In shadow{variant === null ? '' : ` (${visible(variant)})`}: {differing} of {deliveries} deliveries
          would differ.
        </p>
      ))}
      <ul class="plain">
        {data?.differences.map(({ delivery_id: id, command, before, after }) => (
          <li key={`${id} ${command}`} class="row">
            <a class="id" href={pathOf('deliveries', id)}>
              {id}
            </a>
            <span>{visible(command)}</span>
            <span class="removed">{visible(before)}</span>
            <span class="added">{visible(after)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
