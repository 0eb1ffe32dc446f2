import { Hono } from 'hono';
import { z } from 'zod';
import type { Connection, Delivery } from '../../../types.ts';
import { connectionView, deliveryView, iso } from '../../../views.ts';
import { needs } from '../../access/needs.ts';
import { type ApiEnv, type ApiParts, ownerAsking, parseQuery, readBody } from '../route.ts';

const Order = z.strictObject({
  connector: z.string().min(1),
  target: z.string().min(1),
  organisation: z.boolean().default(false),
  webhook: z.string().min(1).optional(),
  adopt: z.string().optional(),
  dry_run: z.boolean().default(false),
});
const Check = z.strictObject({ fix: z.boolean().default(false) });
const Arrived = z.strictObject({ since: z.iso.datetime().optional() });

/** What its routes validate with. */
export const schemas = { Order, Check, Arrived };

/** Deliveries among which one of a hook is looked for. */
const LOOKED_AT = 50;

/**
 * `GET|POST /connections`, `POST /connections/check`, `GET|DELETE /connections/:id`, `POST /connections/:id/ping`. An id may also be
 * the target. The sender is asked before the answer, which may take a minute.
 */
export function connectionRoutes({ connect: parts }: Pick<ApiParts, 'connect'>): Hono<ApiEnv> {
  const { store, clock, locked } = parts;
  return new Hono<ApiEnv>()
    .get('/connections', needs('read'), async (context) => {
      const owner = ownerAsking(context);
      const items = [];
      for (const each of store.connections()) {
        if (owner === undefined || (await context.get('owners').has(owner, 'connection', each.id)))
          items.push(connectionView(each));
      }
      return context.json({ items, next_cursor: null });
    })
    .post('/connections', async (context) => {
      const given = await readBody(Order, context);
      const { connect } = await import('../../../connect/operations.ts');
      const { connector, target, organisation: isOrganisation, dry_run: isDryRun } = given;
      const order = { connector, target, isOrganisation, isDryRun };
      const { webhook = null, adopt = null } = given;
      const { connection, outcome, calls, notes, secretToSave } = await locked([connector], () =>
        connect(parts, { ...order, webhook, adopt }),
      );
      context.set(
        'change',
        connection === null || outcome === 'kept'
          ? null
          : changeOf('connection.make', connection, { outcome }),
      );
      return context.json({
        ...{ outcome, calls, notes },
        connection: connection === null ? null : connectionView(connection),
        ...(secretToSave !== null && { secret: secretToSave }),
      });
    })
    .post('/connections/check', async (context) => {
      const { fix } = await readBody(Check, context);
      const { checkAll } = await import('../../../connect/upkeep.ts');
      const names = new Set(store.connections().map(({ connector }) => connector));
      const { connections, orphans } = await locked([...names], () => checkAll(parts, { fix }));
      const count = (state: string) => connections.filter((each) => each.state === state).length;
      const details = { mended: count('mended'), removed: count('removed') + (fix ? orphans.length : 0) };
      const isChanged = details.mended + details.removed > 0;
      context.set('change', isChanged ? { what: 'connection.fix', target: null, details } : null);
      return context.json({
        connections: connections.map(({ connection, ...found }) => ({
          ...connectionView(connection),
          ...found,
        })),
        orphans: orphans.map(({ isRemoved, ...orphan }) => ({ ...orphan, removed: isRemoved })),
      });
    })
    .get('/connections/:id', needs('read', 'connection'), async (context) => {
      const { connectionNamed } = await import('../../../connect/context.ts');
      const connection = connectionNamed(parts, context.req.param('id'));
      const { since } = parseQuery(Arrived, context);
      const found = await arrivalsOf(parts, connection, {
        since: since === undefined ? 0 : Date.parse(since),
        owner: ownerAsking(context),
      });
      return context.json({ ...connectionView(connection), ...found });
    })
    .post('/connections/:id/ping', needs('webhooks', 'connection'), async (context) => {
      const { connectionNamed } = await import('../../../connect/context.ts');
      const { ping } = await import('../../../connect/operations.ts');
      const connection = connectionNamed(parts, context.req.param('id'));
      const at = iso(clock.now());
      context.set('change', null);
      return context.json({ asked: await ping(parts, connection), at });
    })
    .delete('/connections/:id', async (context) => {
      const { connectionNamed } = await import('../../../connect/context.ts');
      const { disconnect } = await import('../../../connect/operations.ts');
      const connection = connectionNamed(parts, context.req.param('id'));
      await locked([connection.connector], () => disconnect(parts, connection));
      context.set('change', changeOf('connection.remove', connection, {}));
      return context.body(null, 204);
    });
}

function changeOf(what: string, { id, connector, target, webhook }: Connection, more: { outcome?: string }) {
  return { what, target: id, details: { connector, target, webhook, ...more } };
}

/** The newest delivery from the hook since then, and the newest request that its webhook refused. */
async function arrivalsOf(
  { store }: ApiParts['connect'],
  connection: Connection,
  { since, owner }: { readonly since: number; readonly owner: string | undefined },
) {
  const { connectorNamed } = await import('../../../connect/context.ts');
  const { isFrom } = await connectorNamed(connection.connector);
  const marker = `hookctl=${store.installationId()}`;
  const recent = store
    .deliveries({ webhook: connection.webhook, limit: LOOKED_AT, ...(owner && { owner }) })
    .filter(({ receivedAt }) => receivedAt >= since);
  const isItsOwn = ({ status, headers, query }: Delivery) =>
    status !== 'rejected' &&
    (isFrom === undefined || connection.remoteId === null
      ? query.includes(marker)
      : isFrom(headers, connection.remoteId));
  const arrived = recent.find(isItsOwn);
  const refused = recent.find(({ status }) => status === 'rejected');
  return {
    last_delivery: arrived === undefined ? null : deliveryView(arrived),
    last_refused: refused === undefined ? null : deliveryView(refused),
  };
}
