import { z } from 'zod';
import { SCOPES } from '../access/caller.ts';
import { schemas, type TokenView } from '../access/routes.ts';
import { pageOf } from './answers.ts';
import type { Operation } from './operation.ts';

const token = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  owner: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.iso.datetime(),
  created_by: z.string(),
  made_with: z.string().nullable(),
  expires_at: z.iso.datetime(),
  is_expired: z.boolean(),
}) satisfies z.ZodType<TokenView>;

/** Operations of the tokens of owners. */
export const ofTokens: readonly Operation[] = [
  { method: 'get', path: '/tokens', summary: 'Tokens of owners', answer: pageOf(token) },
  {
    ...{
      method: 'get',
      path: '/tokens/own',
      summary: 'Whose the token of this request is, and what it lets',
    },
    answer: z.looseObject({ kind: z.enum(['operator', 'owner']), ...token.partial().shape }),
  },
  {
    ...{ method: 'post', path: '/tokens', summary: 'Make a token, which the answer alone shows' },
    ...{ body: schemas.Order, example: { owner: 'ada', scopes: ['read'], ttl_ms: 2_592_000_000 } },
    ...{ status: 201, answer: token, errors: [409] },
  },
  {
    ...{ method: 'post', path: '/tokens/:id/revoke', summary: 'End a token, and those made with it' },
    ...{ answer: pageOf(token), errors: [404] },
  },
];
