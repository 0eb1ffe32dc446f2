import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { WebhookView } from '../../src/server/webhook-view.ts';
import { ask } from '../kit/api.ts';
import { apiQuery, Filters, OWNER } from '../kit/filters.tsx';
import { ActionForm } from '../kit/form.tsx';
import { VirtualList } from '../kit/list.tsx';
import { Button, Dialog, DoingNote, State, Time, visible } from '../kit/parts.tsx';
import { pathOf, type Route } from '../kit/route.ts';
import { useDoing, useList } from '../kit/use.ts';
import { Secret } from './webhook.tsx';

/** `VirtualList` tells rows apart by an id. */
interface Row extends WebhookView {
  readonly id: string;
}

const FILTERS = [OWNER];

export function WebhooksPage({ route }: { readonly route: Route }): JSX.Element {
  const list = useList<WebhookView>(
    `/api/webhooks?${apiQuery(route, FILTERS, { limit: '200' })}`,
    ['state', 'delivery'],
    ({ name }) => name,
  );
  const [isAdding, setAdding] = useState(false);
  const items = list.items?.map((webhook): Row => ({ ...webhook, id: webhook.name })) ?? null;
  return (
    <>
      <h1>
        Webhooks{' '}
        <Button needs="webhooks" onClick={() => setAdding(true)}>
          Add
        </Button>
      </h1>
      <Filters route={route} filters={FILTERS} />
      <VirtualList
        label="Webhooks"
        list={{ ...list, items }}
        href={({ name }) => pathOf('webhooks', name)}
        empty="There is no webhook."
        row={({
          name,
          owner,
          provider,
          enabled,
          origin,
          total,
          last_received_at: last,
          has_secret: hasSecret,
        }) => (
          <>
            <State of={enabled ? 'enabled' : 'disabled'} />
            <span class="w-event">{visible(name)}</span>
            <span class="w-name">{provider}</span>
            <span class="w-name dim">{origin}</span>
            <span class="w-name dim">{visible(owner)}</span>
            <span class="w-name dim">{total.toLocaleString()} deliveries</span>
            <span class="w-time">
              <Time at={last} />
            </span>
            <span class="cut dim">{hasSecret ? '' : 'has no secret'}</span>
          </>
        )}
      />
      <ActionForm<readonly unknown[]>
        title="Import what was exported"
        word="Import"
        needs="operator"
        path="/api/webhooks/import"
        fields={[
          { name: 'content', label: 'JSON of `hookctl webhook export`', type: 'area', required: true },
        ]}
        bodyOf={({ content }) => ({ content: JSON.parse(String(content)) })}
        done={(items) => `Took in ${items.length}.`}
        isShown
        reload={list.reload}
      />
      <ActionForm<unknown>
        title="Bring the last good copy of webhooks.json back"
        word="Bring back"
        needs="operator"
        path="/api/webhooks/restore"
        confirming="Replace webhooks.json by its last good copy?"
        done={() => 'It is in force again.'}
        reload={list.reload}
      />
      {isAdding && (
        <Add
          onClose={() => {
            setAdding(false);
            list.reload();
          }}
        />
      )}
    </>
  );
}

function Add({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [provider, setProvider] = useState('');
  const [secret, setSecret] = useState('');
  const [made, setMade] = useState<(WebhookView & { readonly secret?: string }) | null>(null);
  const doing = useDoing();
  const add = () =>
    doing.run(async () => {
      const body = { name, provider, ...(secret !== '' && { secret }) };
      const webhook = await ask<WebhookView & { readonly secret?: string }>('POST', '/api/webhooks', body);
      setMade(webhook);
      return `Added ${webhook.name}.`;
    });
  return (
    <Dialog title="Add a webhook" onClose={onClose}>
      {made === null ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <label>
            <span>Name</span>
            <input required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
          </label>
          <label>
            <span>Provider (github, slack, generic, …)</span>
            <input
              required
              value={provider}
              onInput={({ currentTarget }) => setProvider(currentTarget.value)}
            />
          </label>
          <label>
            <span>Secret (made when empty)</span>
            <input
              type="password"
              autocomplete="off"
              value={secret}
              onInput={({ currentTarget }) => setSecret(currentTarget.value)}
            />
          </label>
          <DoingNote doing={doing} />
          <button type="submit" class="main" disabled={doing.isBusy}>
            Add
          </button>
        </form>
      ) : (
        <>
          <DoingNote doing={doing} />
          {made.secret !== undefined && <Secret secret={made.secret} />}
          <p>
            <a href={pathOf('webhooks', made.name)}>Show {made.name}</a>
          </p>
        </>
      )}
    </Dialog>
  );
}
