import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ExplanationView } from '../../src/server/dashboard/explanation.ts';
import type { WebhookView } from '../../src/server/webhook-view.ts';
import type { DeliveryView } from '../../src/views.ts';
import { useRefusal } from '../kit/access.ts';
import { ask } from '../kit/api.ts';
import { ActionForm } from '../kit/form.tsx';
import { Button, DoingNote, ErrorNote, Facts, Scroll, Section, State, Time, visible } from '../kit/parts.tsx';
import { go, pathOf } from '../kit/route.ts';
import { type Doing, useApi, useDoing } from '../kit/use.ts';
import { Comparison } from './comparison.tsx';
import { Explained } from './explained.tsx';

/** What the API shows of a webhook and takes from no one. */
const SHOWN_ONLY: readonly string[] = [
  'webhook_id',
  'url',
  'origin',
  'file',
  'line',
  'has_secret',
  'secret_source',
  'commands',
  'created_at',
  'updated_at',
  'deliveries',
  'total',
  'last_delivery_id',
  'last_received_at',
];

export function WebhookPage({ id }: { readonly id: string }): JSX.Element {
  const path = `/api/webhooks/${encodeURIComponent(id)}`;
  const { data, error, reload } = useApi<WebhookView>(path, {
    on: ['state', 'delivery'],
    wants: isAbout(id),
  });
  return (
    <>
      <h1>{data === null ? visible(id) : visible(data.name)}</h1>
      <ErrorNote error={error} />
      {data !== null && (
        <>
          <Overview webhook={data} path={path} reload={reload} />
          <Form path={path} />
          <WouldFire path={path} webhook={data} />
          <Comparison path={path} name={data.name} />
          <Settings webhook={data} path={path} reload={reload} />
          <Commands webhook={data} path={path} reload={reload} />
        </>
      )}
    </>
  );
}

const isAbout =
  (name: string) =>
  ({ type, webhook }: { readonly type: string; readonly [field: string]: unknown }): boolean =>
    type !== 'delivery' || webhook === name;

interface PartProps {
  readonly webhook: WebhookView;
  readonly path: string;
  readonly reload: () => void;
}

function Overview({ webhook, path, reload }: PartProps): JSX.Element {
  const doing = useDoing();
  const [secret, setSecret] = useState<string | null>(null);
  const isDynamic = webhook.origin === 'dynamic';
  const post = (verb: string) =>
    ask<WebhookView & { readonly secret?: string }>('POST', `${path}/${verb}`, {});
  const toggle = () =>
    doing.run(async () => {
      const { enabled } = await post(webhook.enabled ? 'disable' : 'enable');
      reload();
      return enabled ? 'It receives.' : 'It refuses what comes.';
    });
  const rotate = () =>
    doing.run(async () => {
      const { secret: made } = await post('rotate-secret');
      setSecret(made ?? null);
      return 'It has a new secret; the former one counts for another day.';
    });
  const remove = () =>
    doing.run(async () => {
      if (!confirm(`Remove ${webhook.name}? Its deliveries stay.`)) return null;
      await ask('DELETE', path);
      go(pathOf('webhooks'));
      return 'Removed.';
    });
  return (
    <Section
      title="Webhook"
      actions={
        isDynamic && (
          <>
            <Button needs="webhooks" disabled={doing.isBusy} onClick={toggle}>
              {webhook.enabled ? 'Disable' : 'Enable'}
            </Button>
            <Button needs="webhooks" disabled={doing.isBusy} onClick={rotate}>
              Rotate secret
            </Button>
            <Button needs="webhooks" tone="bad" disabled={doing.isBusy} onClick={remove}>
              Remove
            </Button>
          </>
        )
      }
    >
      <DoingNote doing={doing} />
      {secret !== null && <Secret secret={secret} />}
      <Facts
        of={[
          ['state', <State key="state" of={webhook.enabled ? 'enabled' : 'disabled'} />],
          ['provider', webhook.provider],
          ['owner', visible(webhook.owner)],
          ['receives at', webhook.url],
          ['secret', webhook.has_secret ? webhook.secret_source : 'none'],
          ['written in', webhook.file === null ? null : `${webhook.file}:${webhook.line}`],
          ['deliveries', `${webhook.total.toLocaleString()} (${countsOf(webhook)})`],
          ['last', webhook.last_received_at && <Time at={webhook.last_received_at} />],
        ]}
      />
      <p>
        <a href={pathOf('deliveries', null, { webhook: webhook.name })}>Show its deliveries</a>
      </p>
      <ActionForm<{ handshake: { kind?: string } | null }>
        title="Answer the next handshake of the sender"
        needs="webhooks"
        word="Await it for ten minutes"
        path={`${path}/await`}
        done={({ handshake }) => (handshake === null ? 'None came.' : 'It came, and was answered.')}
      />
      <ActionForm<{ delivery: DeliveryView }>
        title="Process a payload as if it had come"
        needs="tasks"
        word="Process it"
        path="/api/replays"
        fields={[
          { name: 'headers', label: 'Headers as JSON', type: 'area', value: '{}' },
          { name: 'body', label: 'Body', type: 'area', required: true },
          { name: 'sample', label: 'As a sample, which is pruned as one', type: 'check' },
        ]}
        bodyOf={({ headers, body, sample }) => ({
          ...{ webhook: webhook.name, sample, headers: JSON.parse(String(headers)) },
          body_base64: base64Of(String(body)),
        })}
        done={({ delivery }) => `It is ${delivery.id}: ${delivery.status}.`}
      />
    </Section>
  );
}

function base64Of(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

function countsOf({ deliveries }: WebhookView): string {
  const counts = Object.entries(deliveries).map(([state, count]) => `${count} ${state}`);
  return counts.length === 0 ? 'none' : counts.join(', ');
}

/** Shown now and never again. */
export function Secret({ secret }: { readonly secret: string }): JSX.Element {
  return (
    <div class="note warn">
      <p>The secret, which is shown this once:</p>
      <p class="row">
        <code class="secret">{secret}</code>
        <Button onClick={() => void navigator.clipboard.writeText(secret)}>Copy</Button>
      </p>
    </div>
  );
}

interface FormFields {
  readonly items: readonly { readonly label: string; readonly value: string }[];
}

function Form({ path }: { readonly path: string }): JSX.Element {
  const { data, error } = useApi<FormFields>(`${path}/form`);
  return (
    <Section title="What to enter at the sender">
      <ErrorNote error={error} />
      {data !== null && <Facts of={data.items.map(({ label, value }) => [label, visible(value)])} />}
    </Section>
  );
}

function WouldFire({ path, webhook }: Omit<PartProps, 'reload'>): JSX.Element {
  const [event, setEvent] = useState('');
  const [body, setBody] = useState('');
  const [explanation, setExplanation] = useState<ExplanationView | null>(null);
  const doing = useDoing();
  const look = () =>
    doing.run(async () => {
      setExplanation(null);
      const request = { body, ...(event !== '' && { event }) };
      setExplanation(await ask<ExplanationView>('POST', `${path}/explain`, request));
      return null;
    });
  return (
    <Section title="What would fire">
      <p class="dim">
        Paste a payload, and see which commands of {visible(webhook.name)} would fire. Nothing is stored.
      </p>
      <form
        class="stack"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          look();
        }}
      >
        <label>
          <span>Event type, such as issues.opened</span>
          <input
            value={event}
            onInput={({ currentTarget }) => setEvent(currentTarget.value)}
            spellcheck={false}
          />
        </label>
        <label>
          <span>Body</span>
          <textarea
            rows={6}
            value={body}
            spellcheck={false}
            onInput={({ currentTarget }) => setBody(currentTarget.value)}
          />
        </label>
        <button type="submit" class="main" disabled={doing.isBusy || body === ''}>
          See what would fire
        </button>
      </form>
      <DoingNote doing={doing} />
      {explanation !== null && <Explained explanation={explanation} />}
    </Section>
  );
}

function Settings({ webhook, path, reload }: PartProps): JSX.Element {
  const settings = useMemo(
    () => Object.fromEntries(Object.entries(webhook).filter(([name]) => !SHOWN_ONLY.includes(name))),
    [webhook],
  );
  const save = async (edited: Readonly<Record<string, unknown>>) => {
    const changed = Object.entries({ ...cleared(settings, edited), ...edited }).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(settings[name]),
    );
    if (changed.length === 0) return 'Nothing was changed.';
    const { notes = [] } = await ask<{ readonly notes?: readonly string[] }>(
      'PUT',
      path,
      Object.fromEntries(changed),
    );
    reload();
    return ['Saved; it is in force.', ...notes].join(' ');
  };
  return (
    <Section title="Settings">
      <Json value={settings} save={webhook.origin === 'dynamic' ? save : null} label="Settings" />
    </Section>
  );
}

/** What was taken out is set to nothing. */
function cleared(before: object, after: object): Readonly<Record<string, null>> {
  return Object.fromEntries(
    Object.keys(before)
      .filter((name) => !Object.hasOwn(after, name))
      .map((name) => [name, null]),
  );
}

function Commands({ webhook, path, reload }: PartProps): JSX.Element {
  const doing = useDoing();
  const canEdit = useRefusal('webhooks') === null;
  const isDynamic = webhook.origin === 'dynamic';
  const pathOfCommand = (id: string) => `${path}/commands/${encodeURIComponent(id)}`;
  const saveOf = (id: string) => async (edited: Readonly<Record<string, unknown>>) => {
    const { id: _, ...fields } = edited;
    await ask('PUT', pathOfCommand(id), fields);
    reload();
    return 'Saved; it is in force.';
  };
  const add = async (edited: Readonly<Record<string, unknown>>) => {
    await ask('POST', `${path}/commands`, edited);
    reload();
    return 'Added; it is in force.';
  };
  const remove = (id: string) =>
    doing.run(async () => {
      await ask('DELETE', pathOfCommand(id));
      reload();
      return 'Removed.';
    });
  return (
    <Section title="Commands">
      <DoingNote doing={doing} />
      {webhook.commands.map((command) => (
        <details key={command.id}>
          <summary>{visible(String(command.name ?? command.trigger ?? command.id))}</summary>
          <Json value={command} save={isDynamic ? saveOf(command.id) : null} label="Command" />
          {isDynamic && (
            <Button needs="webhooks" tone="bad" disabled={doing.isBusy} onClick={() => remove(command.id)}>
              Remove this command
            </Button>
          )}
        </details>
      ))}
      {isDynamic && canEdit && (
        <details>
          <summary>Add a command</summary>
          <Json
            value={{ name: 'look', target_agent: 'planning', template: '{{event.text}}' }}
            save={add}
            label="New command"
          />
        </details>
      )}
    </Section>
  );
}

interface JsonProps {
  readonly value: object;
  /** Null where it can only be read. */
  readonly save: ((edited: Readonly<Record<string, unknown>>) => Promise<string>) | null;
  readonly label: string;
}

/** A record as JSON, which the API checks as it checks everything. */
function Json({ value, save, label }: JsonProps): JSX.Element {
  const text = JSON.stringify(value, null, 2);
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const doing: Doing = useDoing();
  const refusal = useRefusal('webhooks');
  if (save === null || refusal !== null) return <Scroll label={label}>{visible(text)}</Scroll>;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        doing.run(async () => save(JSON.parse(typed)));
      }}
    >
      <label>
        <span>{label}</span>
        <textarea
          class="code"
          rows={Math.min(24, typed.split('\n').length + 1)}
          value={typed}
          spellcheck={false}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <DoingNote doing={doing} />
      <button type="submit" disabled={doing.isBusy || typed === text}>
        Save
      </button>
    </form>
  );
}
