import { Hono } from 'hono';
import { z } from 'zod';
import { notFound, usageError } from '../../errors.ts';
import { type RecoveredView, sweepView } from '../recovery/view.ts';
import { type ApiEnv, type ApiParts, readBody } from './route.ts';

const Recover = z.strictObject({
  /** From when on; null when from where the last sweep of each connection ended. */
  since: z.iso.datetime({ offset: true }).nullable().default(null),
  webhook: z.string().nullable().default(null),
  dry_run: z.boolean().default(false),
});

/** What its routes validate with. */
export const schemas = { Recover };

/** `POST /recover`: reads the logs of the senders and takes in what never arrived; answers when that is done. */
export function recoverRoutes({ context: { store }, recover }: ApiParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().post('/recover', async (context) => {
    const { since, webhook, dry_run: isDryRun } = await readBody(Recover, context);
    const all = store.connections();
    if (all.length === 0)
      throw usageError('nothing is connected, so that there is no log to read', HOW_TO_CONNECT);
    if (webhook !== null && !all.some((each) => each.webhook === webhook || each.webhookId === webhook)) {
      const names = [...new Set(all.map((each) => each.webhook))].join(', ');
      throw notFound(`no sender is connected to ${webhook}`, `Connected: ${names}. ${HOW_TO_CONNECT}`);
    }
    const order = { since: since === null ? null : Date.parse(since), webhook, isDryRun };
    const sweeps = (await recover(order)).map((report) => sweepView(report));
    const total = (field: 'missing' | 'redelivered' | 'fetched') =>
      sweeps.reduce((sum, sweep) => sum + sweep[field], 0);
    const details = {
      ...{ since, sweeps: sweeps.length, missing: total('missing') },
      ...{ redelivered: total('redelivered'), fetched: total('fetched') },
    };
    context.set('change', isDryRun ? null : { what: 'delivery.recover', target: webhook, details });
    return context.json({ sweeps } satisfies RecoveredView);
  });
}

const HOW_TO_CONNECT =
  'Connect one, or take over its hook: hookctl connect github acme/api --adopt. See docs/recover.md.';
