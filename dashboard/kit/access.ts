import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { OwnTokenView } from '../../src/server/access/routes.ts';

/** What an operation takes: a scope of a token, or the operator's token. */
export type Right = 'tasks' | 'webhooks' | 'admin' | 'operator';

/** Whose token this page has; null before the server said so. */
export const Holder = createContext<OwnTokenView | null>(null);

/** Why the token of this page does not let do something; null when it does. The server decides; this only says so before. */
export function useRefusal(right: Right | undefined): string | null {
  const holder = useContext(Holder);
  if (right === undefined || holder === null || holder.kind === 'operator') return null;
  if (right === 'operator') return 'This takes the operator’s token.';
  const { scopes } = holder;
  return scopes.includes('admin') || scopes.includes(right)
    ? null
    : `This takes a token with the scope ${right}.`;
}

/** The owner whose token this page has; null for the operator. */
export function useOwner(): string | null {
  const holder = useContext(Holder);
  return holder?.kind === 'owner' ? holder.owner : null;
}
