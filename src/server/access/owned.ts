import type { ApiParts } from '../api/route.ts';
import type { Owners } from './caller.ts';

/** Finds whose things are, in the store and the configuration of a data folder. */
export function ownersIn({ tokens }: Pick<ApiParts, 'tokens'>): Owners {
  return {
    async ownerOf(_kind, id) {
      return (await tokens()).list().find((token) => token.id === id)?.owner ?? null;
    },
  };
}
