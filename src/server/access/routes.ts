import { Hono } from 'hono';
import { z } from 'zod';
import { ownerName } from '../../config/schema.ts';
import { usageError } from '../../errors.ts';
import { snakeFields } from '../../lib/case.ts';
import { type ApiEnv, type ApiParts, actorOf, readBody } from '../api/route.ts';
import { type OwnerToken, SCOPES } from './caller.ts';
import { needs, ownerMade } from './needs.ts';

const DAY_MS = 86_400_000;

const Order = z.strictObject({
  /** Left out with a token of an owner: that owner. */
  owner: ownerName.optional(),
  scopes: z.array(z.enum(SCOPES)).min(1),
  name: z
    .string()
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u, 'expected one line of at most 100 characters')
    .nullable()
    .default(null),
  /** At most a year. */
  ttl_ms: z
    .int()
    .min(1_000)
    .max(366 * DAY_MS)
    .default(30 * DAY_MS),
});

/** What its routes validate with. */
export const schemas = { Order };

/** A token as the API and `--json` give it: never its text, but in the answer that made it. */
export type TokenView = ReturnType<typeof tokenView>;

function tokenView(token: OwnerToken, now: number) {
  return { ...snakeFields(token), scopes: [...token.scopes], is_expired: token.expiresAt <= now };
}

/** The token of a request, as it is told to who holds it. */
export type OwnTokenView = { readonly kind: 'operator' } | ({ readonly kind: 'owner' } & TokenView);

/** `GET|POST /tokens`, `GET /tokens/own`, which tells whose the token of the request is, and `POST /tokens/:id/revoke`. With a token of an owner: those of that owner alone. */
export function tokenRoutes({ tokens, context: { clock } }: ApiParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/tokens', needs('admin'), async (context) => {
      const caller = context.get('caller');
      const all = (await tokens()).list();
      const own = caller.kind === 'owner' ? all.filter(({ owner }) => owner === caller.token.owner) : all;
      const items = own.map((token) => tokenView(token, clock.now()));
      return context.json({ items, next_cursor: null });
    })
    .get('/tokens/own', needs('read'), (context) => {
      const caller = context.get('caller');
      const view: OwnTokenView =
        caller.kind === 'owner'
          ? { kind: 'owner', ...tokenView(caller.token, clock.now()) }
          : { kind: 'operator' };
      return context.json(view);
    })
    .post('/tokens', needs('admin'), async (context) => {
      const { ttl_ms: asked, owner, scopes, name } = await readBody(Order, context);
      const caller = context.get('caller');
      const maker = caller.kind === 'owner' ? caller.token : null;
      const whose = ownerMade(context, owner);
      if (whose === undefined) throw usageError('owner: name the owner of the token');
      const { token, text } = await (await tokens()).create({
        ...{ owner: whose, scopes: SCOPES.filter((scope) => scopes.includes(scope)), name },
        ...{ createdBy: actorOf(context).name, madeWith: maker?.id ?? null },
        // A token is no way to outlive the one that made it.
        ttlMs: maker === null ? asked : Math.min(asked, maker.expiresAt - clock.now()),
      });
      const view = tokenView(token, clock.now());
      const details = { owner: whose, scopes: view.scopes, name, expires_at: view.expires_at };
      context.set('change', { what: 'token.create', target: token.id, details });
      return context.json({ ...view, token: text }, 201);
    })
    .post('/tokens/:id/revoke', needs('admin', 'token'), async (context) => {
      const id = context.req.param('id');
      const gone = await (await tokens()).revoke(id);
      const also = gone.flatMap((token) => (token.id === id ? [] : [token.id]));
      const [first] = gone;
      context.set('change', {
        what: 'token.revoke',
        target: id,
        details: { owner: first?.owner ?? null, also },
      });
      return context.json({ items: gone.map((token) => tokenView(token, clock.now())), next_cursor: null });
    });
}
