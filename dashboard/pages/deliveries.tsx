import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { SentView } from '../../src/server/api/deliveries.ts';
import { DELIVERY_STATUSES } from '../../src/types/delivery.ts';
import type { DeliveryView, TaskView } from '../../src/views.ts';
import { useRefusal } from '../kit/access.ts';
import { ask } from '../kit/api.ts';
import { apiQuery, type Filter, Filters, SEARCH } from '../kit/filters.tsx';
import { ActionForm } from '../kit/form.tsx';
import { VirtualList } from '../kit/list.tsx';
import {
  Button,
  DoingNote,
  ErrorNote,
  Facts,
  Ref,
  Section,
  State,
  Text,
  Time,
  visible,
} from '../kit/parts.tsx';
import { go, pathOf, type Route } from '../kit/route.ts';
import { useApi, useDoing, useList } from '../kit/use.ts';
import { bytesOf, Difference, pathOfDelivery, pretty, type WholeDelivery } from './difference.tsx';
import { CommandTable } from './explained.tsx';

const FILTERS: readonly Filter[] = [
  { name: 'webhook', label: 'Webhook' },
  { name: 'status', label: 'State', choices: DELIVERY_STATUSES },
  ...SEARCH,
];

export function DeliveriesPage({ route }: { readonly route: Route }): JSX.Element {
  const list = useList<DeliveryView>(`/api/deliveries?${apiQuery(route, FILTERS, { limit: '100' })}`, [
    'delivery',
  ]);
  return (
    <>
      <h1>Deliveries</h1>
      <Filters route={route} filters={FILTERS} />
      <ReplayShown ids={list.items?.map(({ id }) => id) ?? []} />
      <VirtualList
        label="Deliveries"
        list={list}
        href={({ id }) => pathOf('deliveries', id)}
        empty="No delivery fits."
        row={({ webhook, event_type: event, sender, status, reason, received_at: at, sample }) => (
          <>
            <State of={status} />
            <span class="w-event">{visible(event ?? 'request')}</span>
            <span class="w-name">{visible(webhook)}</span>
            <span class="w-name dim">{visible(sender ?? '')}</span>
            <span class="w-time">
              <Time at={at} />
            </span>
            <span class="cut dim">
              {sample ? 'sample · ' : ''}
              {visible(reason ?? '')}
            </span>
          </>
        )}
      />
    </>
  );
}

/** As many as the API takes at once. */
const MOST_REPLAYED = 500;

interface ReplayedItems {
  readonly items: readonly { readonly status: string }[];
}

function ReplayShown({ ids }: { readonly ids: readonly string[] }): JSX.Element | null {
  const shown = ids.slice(0, MOST_REPLAYED);
  if (shown.length === 0) return null;
  return (
    <ActionForm<ReplayedItems>
      title={`Replay these ${shown.length}`}
      word="Replay them"
      needs="tasks"
      path="/api/deliveries/replay"
      fields={[{ name: 'replies', label: 'Post replies, too', type: 'check' }]}
      confirming={`Process ${shown.length} deliveries again?`}
      bodyOf={({ replies }) => ({ ids: shown, replies })}
      done={({ items }) => {
        const refused = items.filter(({ status }) => status === 'refused').length;
        return `${items.length - refused} replayed${refused === 0 ? '' : `, ${refused} refused`}.`;
      }}
    />
  );
}

export function DeliveryPage({ id, route }: { readonly id: string; readonly route: Route }): JSX.Element {
  const { data, error, reload } = useApi<WholeDelivery>(pathOfDelivery(id), {
    on: ['delivery'],
    wants: (event) => event.id === id,
  });
  return (
    <>
      <h1>
        Delivery <span class="id">{id}</span>
      </h1>
      <ErrorNote error={error} />
      {data !== null && (
        <>
          <Outcome delivery={data} reload={reload} />
          <Decisions delivery={data} />
          <Tasks id={id} />
          <Body delivery={data} />
          <Headers delivery={data} />
          <Difference delivery={data} route={route} />
        </>
      )}
    </>
  );
}

interface Dispatched {
  readonly delivery: DeliveryView;
}

function Outcome({
  delivery,
  reload,
}: {
  readonly delivery: WholeDelivery;
  readonly reload: () => void;
}): JSX.Element {
  const { id, status } = delivery;
  const doing = useDoing();
  const replay = (replies: boolean) =>
    doing.run(async () => {
      const { delivery: made } = await ask<Dispatched>('POST', `${pathOfDelivery(id)}/replay`, { replies });
      go(pathOf('deliveries', made.id));
      return `Replayed as ${made.id}.`;
    });
  const retry = () =>
    doing.run(async () => {
      const { delivery: again } = await ask<Dispatched>('POST', `${pathOfDelivery(id)}/retry`, {});
      reload();
      return `Worked off again: ${again.status}.`;
    });
  const hasBytes = delivery.body_base64 !== null;
  const refusal = useRefusal('operator');
  return (
    <Section
      title="Outcome"
      actions={
        <>
          <Button needs="tasks" disabled={doing.isBusy || !hasBytes} onClick={() => replay(false)}>
            Replay
          </Button>
          <Button needs="tasks" disabled={doing.isBusy || !hasBytes} onClick={() => replay(true)}>
            Replay with replies
          </Button>
          {(status === 'failed' || status === 'ignored') && (
            <Button needs="tasks" tone="main" disabled={doing.isBusy} onClick={retry}>
              Retry
            </Button>
          )}
        </>
      }
    >
      <DoingNote doing={doing} />
      <Facts
        of={[
          ['state', <State key="state" of={status} />],
          ['because', visible(delivery.reason ?? '')],
          ['owner', visible(delivery.owner)],
          ['webhook', <Ref key="webhook" page="webhooks" id={delivery.webhook} />],
          ['event', visible(delivery.event_type ?? '')],
          ['variant', visible(delivery.variant ?? '')],
          ['about', visible(delivery.external_id ?? '')],
          ['sender', visible(delivery.sender ?? '')],
          ['proof', delivery.trust],
          ['received', <Time key="received" at={delivery.received_at} />],
          ['settled', <Time key="settled" at={delivery.settled_at} />],
          ['size', `${delivery.size.toLocaleString()} bytes`],
          ["sender's id", visible(delivery.sender_delivery_id ?? '')],
          ['duplicate of', delivery.duplicate_of && <Ref page="deliveries" id={delivery.duplicate_of} />],
          ['replay of', delivery.replay_of && <Ref page="deliveries" id={delivery.replay_of} />],
        ]}
      />
      {hasBytes && refusal === null && <Send id={id} />}
    </Section>
  );
}

/** Sends the stored request to another program, as `hookctl replay --to` does. */
function Send({ id }: { readonly id: string }): JSX.Element {
  const [to, setTo] = useState('');
  const [isResigned, setResigned] = useState(false);
  const doing = useDoing();
  const send = () =>
    doing.run(async () => {
      const body = { to: to.trim(), resign: isResigned };
      const { status, error } = await ask<SentView>('POST', `${pathOfDelivery(id)}/send`, body);
      if (error !== null || status === null || status >= 400)
        throw new Error(
          `${to.trim()}: ${status === null ? 'no answer' : `answered ${status}`} ${error ?? ''}`,
        );
      return `${to.trim()} answered ${status}.`;
    });
  return (
    <details>
      <summary>Send to another URL</summary>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label>
          <span>URL</span>
          <input
            type="url"
            required
            value={to}
            placeholder="http://localhost:3000/hook"
            spellcheck={false}
            onInput={({ currentTarget }) => setTo(currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isResigned}
            onChange={({ currentTarget }) => setResigned(currentTarget.checked)}
          />
          <span>Sign it anew</span>
        </label>
        <button type="submit" disabled={doing.isBusy}>
          Send
        </button>
      </form>
      <DoingNote doing={doing} />
    </details>
  );
}

function Decisions({ delivery: { decisions } }: { readonly delivery: WholeDelivery }): JSX.Element | null {
  if (decisions.length === 0) return null;
  return (
    <Section title="Commands">
      <CommandTable
        rows={decisions.map(({ command, variant, would, fired, reason, error }) => ({
          command: variant === undefined ? command : `${command} (${variant})`,
          verdict: would ? `in shadow: ${would.action} ${would.agent}` : fired ? 'fired' : 'no',
          reason: error ?? reason ?? '',
        }))}
      />
    </Section>
  );
}

function Tasks({ id }: { readonly id: string }): JSX.Element | null {
  const { items } = useList<TaskView>(`/api/tasks?delivery_id=${encodeURIComponent(id)}`, [
    'task',
    'delivery',
  ]);
  if (items === null || items.length === 0) return null;
  return (
    <Section title="Tasks">
      <ul class="plain">
        {items.map((task) => (
          <li key={task.id} class="row">
            <State of={task.status} />
            <a href={pathOf('tasks', task.id)}>{visible(task.title)}</a>
            <span class="dim">{task.agent}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const HEX_BYTES = 4_096;

function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, HEX_BYTES); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  if (bytes.length > HEX_BYTES) lines.push(`… ${(bytes.length - HEX_BYTES).toLocaleString()} more bytes`);
  return lines.join('\n');
}

const VIEWS = ['pretty', 'raw', 'bytes'] as const;

function Body({
  delivery: { id, body_base64: base64, status },
}: {
  readonly delivery: WholeDelivery;
}): JSX.Element {
  const [view, setView] = useState<(typeof VIEWS)[number]>('pretty');
  const bytes = useMemo(() => bytesOf(base64), [base64]);
  const text = useMemo(() => {
    if (view === 'bytes') return hexLines(bytes);
    const decoded = new TextDecoder().decode(bytes);
    return view === 'pretty' ? pretty(decoded) : decoded;
  }, [bytes, view]);
  if (base64 === null)
    return (
      <Section title="Body">
        <p class="dim">
          {status === 'rejected' || status === 'duplicate'
            ? `The body of a ${status} delivery is not kept.`
            : 'The body was removed: it is older than what is kept.'}
        </p>
      </Section>
    );
  const save = () => {
    const url = URL.createObjectURL(new Blob([bytes]));
    const link = Object.assign(document.createElement('a'), { href: url, download: `${id}.body` });
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Section
      title="Body"
      actions={
        <>
          {VIEWS.map((name) => (
            <button key={name} type="button" aria-pressed={name === view} onClick={() => setView(name)}>
              {name}
            </button>
          ))}
          <Button onClick={save}>Save</Button>
        </>
      }
    >
      <Text of={text} label="Body" />
    </Section>
  );
}

function Headers({ delivery: { headers, query } }: { readonly delivery: WholeDelivery }): JSX.Element {
  const facts = Object.entries(headers).map(([name, value]) => [name, visible(value)] as const);
  return (
    <Section title="Headers">
      <Facts of={[...(query === '' ? [] : [['?', visible(query)] as const]), ...facts]} />
    </Section>
  );
}
