import type { JSX } from 'preact';
import type { AuditView } from '../../src/views.ts';
import { apiQuery, type Filter, Filters, OWNER } from '../kit/filters.tsx';
import { Button, ErrorNote, Scroll, Time, visible } from '../kit/parts.tsx';
import type { Route } from '../kit/route.ts';
import { useList } from '../kit/use.ts';

const FILTERS: readonly Filter[] = [
  { name: 'what', label: 'Change' },
  { name: 'since', label: 'Since', type: 'datetime-local' },
  OWNER,
];

/** Who changed what. */
export function AuditPage({ route }: { readonly route: Route }): JSX.Element {
  const { items, error, more } = useList<AuditView>(
    `/api/audit?${apiQuery(route, FILTERS, { limit: '100' })}`,
    ['task', 'delivery', 'outgoing', 'connection', 'state'],
  );
  return (
    <>
      <h1>Audit</h1>
      <Filters route={route} filters={FILTERS} />
      <ErrorNote error={error} />
      {items?.length === 0 && <p class="empty">No change is on record.</p>}
      {items !== null && items.length > 0 && (
        <Scroll label="Changes" look="wide">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Target</th>
                <th scope="col">Details</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ id, at, actor, actor_kind: kind, what, target, details }) => (
                <tr key={id}>
                  <td>
                    <Time at={at} />
                  </td>
                  <td>
                    {visible(actor)} <span class="dim">{kind}</span>
                  </td>
                  <td>{what}</td>
                  <td>{visible(target ?? '')}</td>
                  <td>
                    <code>{visible(JSON.stringify(details))}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {more !== null && <Button onClick={more}>Show older ones</Button>}
    </>
  );
}
