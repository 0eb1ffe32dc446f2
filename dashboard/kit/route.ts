import { useEffect, useState } from 'preact/hooks';

/** What the address names: `/dashboard/deliveries/dlv-…?status=failed`. */
export interface Route {
  readonly page: string;
  readonly id: string | null;
  readonly query: URLSearchParams;
}

/** Pages in the order of their keys, `1` to `9`. The build writes links to them into the document, which are there before the script. */
export const PAGES = [
  ['now', 'Now'],
  ['deliveries', 'Deliveries'],
  ['tasks', 'Tasks'],
  ['flows', 'Flows'],
  ['webhooks', 'Webhooks'],
  ['outbox', 'Outbox'],
  ['traffic', 'Traffic'],
  ['audit', 'Audit'],
  ['setup', 'Setup'],
] as const;

const BASE = '/dashboard';
const changed = new Set<() => void>();

function current(): Route {
  const [, page = '', id = null] = location.pathname.slice(BASE.length).split('/');
  return {
    page: page === '' ? 'now' : page,
    id: id === null || id === '' ? null : decodeURIComponent(id),
    query: new URLSearchParams(location.search),
  };
}

/** The address of a page, of one thing on it, with what it is filtered by. */
export function pathOf(page: string, id?: string | null, query?: Readonly<Record<string, string>>): string {
  const rest = id == null ? '' : `/${encodeURIComponent(id)}`;
  const words = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value !== ''));
  return `${BASE}/${page}${rest}${words.size === 0 ? '' : `?${words}`}`;
}

export function go(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', path);
  else {
    history.pushState({ from: location.pathname + location.search }, '', path);
    scrollTo(0, 0);
  }
  for (const call of changed) call();
}

/** Back to a list, with its filters where it was left; to the path where the person came from elsewhere. */
export function goBack(path: string): void {
  const from: unknown = history.state?.from;
  if (typeof from === 'string' && from.split('?')[0] === path.split('?')[0]) history.back();
  else go(path);
}

/** Follows links to pages of the dashboard without loading it anew. */
export function followLinks(): void {
  addEventListener('popstate', () => {
    for (const call of changed) call();
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || event.defaultPrevented || event.button !== 0 || link.target !== '') return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(BASE) || url.hash !== '') return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const update = () => setRoute(current());
    changed.add(update);
    return () => void changed.delete(update);
  }, []);
  return route;
}
