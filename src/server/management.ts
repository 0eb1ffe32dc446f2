import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { HookctlError } from '../errors.ts';
import type { TaskReader } from '../store/task-store.ts';
import type { Secret } from '../types.ts';
import { type DeliverySource, deliveryRoutes } from './api/deliveries.ts';
import { conversationRoutes, flowRoutes } from './api/flows.ts';
import { allowedMethods } from './api/methods.ts';
import { type OutboxSource, outboxRoutes } from './api/outbox.ts';
import { taskRoutes } from './api/tasks.ts';
import { commandRoutes, type WebhookAdmin, webhookRoutes } from './api/webhooks.ts';
import { guard } from './guard.ts';
import type { Operations } from './operations.ts';
import { problem, problemOf } from './problem.ts';
import type { StatusView } from './status.ts';

/** A replayed file of GitHub's largest body, as base64, with room for its headers. */
const BODY_LIMIT = 40 * 1024 * 1024;

export interface ManagementOptions {
  readonly token: Secret;
  readonly operations: Operations;
  readonly store: DeliverySource & OutboxSource & TaskReader;
  readonly webhooks: WebhookAdmin;
  readonly status: () => StatusView;
  /** Told of what broke while a request was answered. */
  readonly onError: (error: unknown) => void;
}

/** The private socket: loopback only, every request with the token. No tunnel ever points here. */
export function createManagement(options: ManagementOptions): Server {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(guard(options.token));
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    context.header('cross-origin-resource-policy', 'same-origin');
  });
  app.use('/api/*', async (context, next) => {
    const { headers } = context.env.incoming;
    const length = Number(headers['content-length'] ?? 0);
    if (headers['transfer-encoding'] !== undefined) {
      return problem(context, 411, 'length_required', 'send the body with a Content-Length');
    }
    if (length > BODY_LIMIT) return problem(context, 413, 'body_too_large', 'body over 40 MB');
    if (length === 0 || isJson(headers['content-type'])) return next();
    return problem(context, 415, 'content_type', 'send `Content-Type: application/json`');
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/api/status', (context) => context.json(options.status()));
  app.route('/api', webhookRoutes(options.webhooks));
  app.route('/api', commandRoutes(options.webhooks));
  app.route('/api', deliveryRoutes(options.store, options.operations));
  app.route('/api', outboxRoutes(options.store, options.operations));
  app.route('/api', taskRoutes(options.store, options.operations.tasks));
  app.route('/api', flowRoutes(options.store));
  app.route('/api', conversationRoutes(options.store));
  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = allowedMethods(app, path);
    if (allowed.length === 0) return problem(context, 404, 'not_found', `there is no ${path}`);
    context.header('allow', allowed.join(', '));
    return problem(context, 405, 'method_not_allowed', `${path} does not take ${method}`);
  });
  app.onError((error, context) => {
    if (!(error instanceof HookctlError)) options.onError(error);
    return problemOf(context, error);
  });
  // Without the flag the adapter replaces the global Request and Response of the whole process.
  return createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}
