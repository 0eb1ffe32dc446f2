import type { JSX } from 'preact';
import { STATS_BY } from '../../src/store/stats.ts';
import type { statsView } from '../../src/task-views.ts';
import type { Filter } from '../kit/filters.tsx';
import { dollars, duration, Empty, ErrorNote, Scroll, Section, visible } from '../kit/parts.tsx';
import { pathOf } from '../kit/route.ts';
import { useApi } from '../kit/use.ts';

/** By what the statistics are grouped. */
export const BY: Filter = {
  name: 'by',
  label: 'Statistics by',
  none: STATS_BY[0],
  choices: STATS_BY.slice(1),
};

/** What came and what became of it, by webhook, command, agent or variant: the same as `hookctl stats`. */
export function Statistics({ by, query }: { readonly by: string; readonly query: string }): JSX.Element {
  const { data, error } = useApi<ReturnType<typeof statsView>>(`/api/stats?by=${by}&${query}`, {
    on: ['delivery', 'task', 'run'],
  });
  return (
    <Section title={`Statistics by ${by}`}>
      <ErrorNote error={error} />
      {data?.rows.length === 0 && <Empty>Nothing came, and no task was made.</Empty>}
      {data !== null && data.rows.length > 0 && (
        <Scroll label={`Statistics by ${by}`} look="wide">
          <table>
            <thead>
              <tr>
                {['Name', 'Deliveries', 'Processed', 'Failed', 'Settled after', 'Tasks'].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
                {['Completed', 'Failed', 'Cancelled', 'Ended after', 'Cost'].map((name) => (
                  <th key={`${name} of tasks`} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row) => (
                <tr key={row.name}>
                  <td>
                    {by === 'webhook' && row.name !== null ? (
                      <a href={pathOf('webhooks', row.name)}>{visible(row.name)}</a>
                    ) : (
                      visible(row.name ?? 'none')
                    )}
                  </td>
                  <td>{row.deliveries?.toLocaleString() ?? '–'}</td>
                  <td>{row.processed?.toLocaleString() ?? '–'}</td>
                  <td>{row.undone?.toLocaleString() ?? '–'}</td>
                  <td>{duration(row.settle_ms) ?? '–'}</td>
                  <td>{row.tasks.toLocaleString()}</td>
                  <td>{row.completed.toLocaleString()}</td>
                  <td>{row.failed.toLocaleString()}</td>
                  <td>{row.cancelled.toLocaleString()}</td>
                  <td>{duration(row.task_ms) ?? '–'}</td>
                  <td>{row.known_costs === 0 ? '–' : dollars(row.cost_usd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Section>
  );
}
