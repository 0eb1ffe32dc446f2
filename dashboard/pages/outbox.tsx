import type { JSX } from 'preact';
import { OUTGOING_STATUSES } from '../../src/types/reply.ts';
import type { OutgoingView } from '../../src/views.ts';
import { ask } from '../kit/api.ts';
import { apiQuery, type Filter, Filters, OWNER } from '../kit/filters.tsx';
import { Button, DoingNote, Empty, ErrorNote, Ref, Section, State, Time, visible } from '../kit/parts.tsx';
import type { Route } from '../kit/route.ts';
import { type Doing, useDoing, useList } from '../kit/use.ts';

const FILTERS: readonly Filter[] = [{ name: 'status', label: 'State', choices: OUTGOING_STATUSES }, OWNER];

/** What hookctl posts and forwards. */
export function OutboxPage({ route }: { readonly route: Route }): JSX.Element {
  const { items, error, more, reload } = useList<OutgoingView>(
    `/api/outbox?${apiQuery(route, FILTERS, { limit: '50' })}`,
    ['outgoing', 'delivery', 'task', 'run'],
  );
  const doing = useDoing();
  return (
    <>
      <h1>Outbox</h1>
      <Filters route={route} filters={FILTERS} />
      <DoingNote doing={doing} />
      <ErrorNote error={error} />
      {items?.length === 0 && <Empty>Nothing was posted or forwarded.</Empty>}
      {items?.map((item) => (
        <Item key={item.id} item={item} doing={doing} reload={reload} />
      ))}
      {more !== null && <Button onClick={more}>Show older ones</Button>}
    </>
  );
}

interface ItemProps {
  readonly item: OutgoingView;
  readonly doing: Doing;
  readonly reload: () => void;
}

function Item({ item, doing, reload }: ItemProps): JSX.Element {
  const {
    id,
    kind,
    provider,
    status,
    reason,
    attempts,
    created_at: at,
    content,
    delivery_id: delivery,
  } = item;
  const act = (verb: 'retry' | 'drop') =>
    doing.run(async () => {
      const { status: now } = await ask<OutgoingView>('POST', `/api/outbox/${id}/${verb}`, {});
      reload();
      return `${id} is ${now}.`;
    });
  return (
    <Section
      title={`${kind} to ${provider}`}
      actions={
        <>
          {(status === 'failed' || status === 'dropped') && (
            <Button needs="tasks" tone="main" disabled={doing.isBusy} onClick={() => act('retry')}>
              Send again
            </Button>
          )}
          {(status === 'waiting' || status === 'failed') && (
            <Button needs="tasks" tone="bad" disabled={doing.isBusy} onClick={() => act('drop')}>
              Drop
            </Button>
          )}
        </>
      }
    >
      <p class="row">
        <State of={status} />
        <Time at={at} />
        <Ref page="deliveries" id={delivery} />
        <span class="dim">
          {attempts} {attempts === 1 ? 'try' : 'tries'}
        </span>
        <span class="dim">{visible(reason ?? '')}</span>
      </p>
      <p class="quote">{visible(content.slice(0, 2_000))}</p>
    </Section>
  );
}
