import { Hono } from 'hono';
import { z } from 'zod';
import { type PrunedWorkspaces, workspaceView } from '../workspaces/index.ts';
import type { ApiEnv, ApiParts } from './route.ts';
import { readBody } from './route.ts';

const RemoveBody = z.strictObject({ force: z.boolean().default(false) });
const PruneBody = z.strictObject({ any_age: z.boolean().default(false) });

/** What its routes validate with. */
export const schemas = { RemoveBody, PruneBody };

/** `GET /workspaces`, `POST /workspaces/:id/remove` and `POST /workspaces/prune`. */
export function workspaceRoutes({ workspaces }: ApiParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/workspaces', async (context) =>
      context.json({ items: (await workspaces()).list().map(workspaceView), next_cursor: null }),
    )
    .post('/workspaces/prune', async (context) => {
      const { any_age: anyAge } = await readBody(PruneBody, context);
      const { removed, kept } = await (await workspaces()).prune(anyAge);
      const details = { removed: removed.map(({ id }) => id), kept: kept.map(({ id }) => id) };
      context.set('change', { what: 'workspace.prune', target: null, details });
      const views = { removed: removed.map(workspaceView), kept: kept.map(workspaceView) };
      return context.json(views satisfies PrunedWorkspaces);
    })
    .post('/workspaces/:id/remove', async (context) => {
      const { force } = await readBody(RemoveBody, context);
      const removed = await (await workspaces()).remove(context.req.param('id'), force);
      const { id, unshipped } = removed;
      context.set('change', {
        what: 'workspace.remove',
        target: id,
        details: { force, unshipped: [...unshipped] },
      });
      return context.json(workspaceView(removed));
    });
}
