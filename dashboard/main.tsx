import { type JSX, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { OwnTokenView } from '../src/server/access/routes.ts';
import { Holder } from './kit/access.ts';
import { hasToken, isRemembered, onSignedOut, remember, setToken, takeToken } from './kit/api.ts';
import { listenForKeys, useKeys } from './kit/keys.ts';
import { type LiveState, onLiveState, startLive } from './kit/live.ts';
import { Dialog, ErrorNote, visible } from './kit/parts.tsx';
import { followLinks, go, goBack, PAGES, pathOf, type Route, useRoute } from './kit/route.ts';
import { useApi } from './kit/use.ts';
import { AuditPage } from './pages/audit.tsx';
import { DeliveriesPage, DeliveryPage } from './pages/deliveries.tsx';
import { FlowPage, FlowsPage } from './pages/flows.tsx';
import { NowPage } from './pages/now.tsx';
import { OutboxPage } from './pages/outbox.tsx';
import { TaskPage } from './pages/task.tsx';
import { TasksPage } from './pages/tasks.tsx';
import { WebhookPage } from './pages/webhook.tsx';
import { WebhooksPage } from './pages/webhooks.tsx';

function App(): JSX.Element {
  const [isIn, setIn] = useState(hasToken());
  const [isRefused, setRefused] = useState(false);
  useEffect(
    () =>
      onSignedOut(() => {
        setIn(false);
        setRefused(true);
      }),
    [],
  );
  return isIn ? <Dashboard /> : <SignIn isRefused={isRefused} done={() => setIn(true)} />;
}

interface SignInProps {
  /** The server takes the last token no more, or never did. */
  readonly isRefused: boolean;
  readonly done: () => void;
}

function SignIn({ isRefused, done }: SignInProps): JSX.Element {
  const [typed, setTyped] = useState('');
  const [isKept, setKept] = useState(false);
  return (
    <main class="sign-in">
      <h1>hookctl</h1>
      <p>
        Open the dashboard with <code>hookctl dashboard</code>, or enter the token that{' '}
        <code>hookctl token</code> prints.
      </p>
      {isRefused && (
        <p class="note bad" role="alert">
          The server does not take this token: it is another server's, or was replaced.
        </p>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          setToken(typed.trim());
          remember(isKept);
          done();
        }}
      >
        <label>
          <span>Token</span>
          <input
            type="password"
            autocomplete="off"
            required
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={({ currentTarget }) => setKept(currentTarget.checked)}
          />
          <span>Remember it in this tab</span>
        </label>
        <button type="submit" class="main">
          Open
        </button>
      </form>
    </main>
  );
}

function Dashboard(): JSX.Element {
  const route = useRoute();
  const [isHelp, setHelp] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    startLive(stop.signal);
    return () => stop.abort();
  }, []);
  const { data: holder } = useApi<OwnTokenView>('/api/tokens/own');
  const pages = PAGES.filter(([page]) => holder?.kind !== 'owner' || page !== 'audit');
  // Whose things are shown stays the same from page to page.
  const leadingTo = (page: string) => pathOf(page, null, { owner: route.query.get('owner') ?? '' });
  const title = PAGES.find(([page]) => page === route.page)?.[1] ?? 'Not found';
  useEffect(() => {
    document.title = `${route.id ?? title} · hookctl`;
  }, [route.id, title]);
  useKeys(
    {
      '?': () => setHelp(true),
      j: () => step(1),
      k: () => step(-1),
      Escape: () => {
        if (route.id !== null) goBack(leadingTo(route.page));
      },
      ...Object.fromEntries(PAGES.map(([page], index) => [`${index + 1}`, () => go(leadingTo(page))])),
    },
    { isBase: true },
  );
  return (
    <Holder.Provider value={holder}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="top">
        <nav aria-label="Pages">
          {pages.map(([page, name]) => (
            <a
              key={page}
              href={leadingTo(page)}
              {...(page === route.page && { 'aria-current': 'page' as const })}
            >
              {name}
            </a>
          ))}
        </nav>
        <Live />
        <button type="button" onClick={() => setHelp(true)} aria-label="Help and settings">
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1} class={route.id === null ? `page-${route.page}` : 'detail'}>
        {holder?.kind === 'owner' && (
          <p class="dim holder">
            With a token of {visible(holder.owner)}: {holder.scopes.join(', ')}
          </p>
        )}
        <Page key={`${route.page}/${route.id}`} route={route} />
      </main>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </Holder.Provider>
  );
}

/** Leads to the next or previous row of a page; a long list does that by itself. */
function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll('main li')].flatMap((row) => row.querySelector('a') ?? []);
  const here = document.activeElement?.closest('li')?.querySelector('a') ?? null;
  const at = here === null ? -1 : rows.indexOf(here);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

function Page({ route }: { readonly route: Route }): JSX.Element {
  const { page, id } = route;
  switch (page) {
    case 'now':
      return <NowPage route={route} />;
    case 'deliveries':
      return id === null ? <DeliveriesPage route={route} /> : <DeliveryPage id={id} route={route} />;
    case 'tasks':
      return id === null ? <TasksPage route={route} /> : <TaskPage id={id} />;
    case 'flows':
      return id === null ? <FlowsPage route={route} /> : <FlowPage id={id} />;
    case 'webhooks':
      return id === null ? <WebhooksPage route={route} /> : <WebhookPage id={id} />;
    case 'outbox':
      return <OutboxPage route={route} />;
    case 'traffic':
    case 'setup':
      return <Later page={page} route={route} />;
    case 'audit':
      return <AuditPage route={route} />;
    default:
      return (
        <>
          <h1>There is no such page</h1>
          <p>
            <a href={pathOf('now')}>Now</a>
          </p>
        </>
      );
  }
}

type Part = (props: { readonly route: Route }) => JSX.Element;

/** Pages that are loaded when they are looked at: the plots alone are as large as all the rest. */
const LATER = {
  traffic: async (): Promise<Part> => (await import('./pages/traffic.tsx')).TrafficPage,
  setup: async (): Promise<Part> => (await import('./pages/setup.tsx')).SetupPage,
};

interface LaterProps {
  readonly page: keyof typeof LATER;
  readonly route: Route;
}

function Later({ page, route }: LaterProps): JSX.Element {
  const [Loaded, setLoaded] = useState<Part | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => void LATER[page]().then((part) => setLoaded(() => part), setError), [page]);
  return Loaded === null ? <ErrorNote error={error} /> : <Loaded route={route} />;
}

const LIVE_TEXT: Readonly<Record<LiveState, string>> = {
  live: 'live',
  connecting: 'connecting',
  off: 'no server',
};

function Live(): JSX.Element {
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => onLiveState(setState), []);
  return (
    <span role="status" class={`state ${state === 'live' ? 'good' : state === 'off' ? 'bad' : 'busy'}`}>
      {LIVE_TEXT[state]}
    </span>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ['1 … 9', 'the pages'],
  ['/', 'to the filters'],
  ['j, k', 'next and previous row'],
  ['enter', 'open the row'],
  ['a', 'approve the task, or answer its question'],
  ['n', 'new task'],
  ['escape', 'leave a field, close, back to the list'],
  ['?', 'this help'],
];

function Help({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [isKept, setKept] = useState(isRemembered());
  return (
    <Dialog title="Help and settings" onClose={onClose}>
      <dl class="facts">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={isKept}
          onChange={({ currentTarget }) => {
            remember(currentTarget.checked);
            setKept(currentTarget.checked);
          }}
        />
        <span>Remember the token in this tab, so that a reload needs no new one</span>
      </label>
    </Dialog>
  );
}

takeToken();
followLinks();
listenForKeys();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
