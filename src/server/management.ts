import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HookctlError } from '../errors.ts';
import type { Secret } from '../types.ts';
import { type DeliverySource, deliveryRoutes } from './api/deliveries.ts';
import { allowedMethods } from './api/methods.ts';
import { type OutboxSource, outboxRoutes } from './api/outbox.ts';
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
  readonly store: DeliverySource & OutboxSource;
  readonly webhooks: WebhookAdmin;
  readonly status: () => StatusView;
  /** The port it came to listen on, for the Host check. */
  readonly port: () => number;
  /** Told of what broke while a request was answered. */
  readonly onError: (error: unknown) => void;
}

/** The private socket: loopback only, every request with the token. No tunnel ever points here. */
export function createManagement(options: ManagementOptions): Server {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(guard(options.token, options.port));
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    context.header('cross-origin-resource-policy', 'same-origin');
  });
  app.use(
    '/api/*',
    bodyLimit({ maxSize: BODY_LIMIT, onError: (c) => problem(c, 413, 'body_too_large', 'body over 40 MB') }),
  );
  app.use('/api/*', async (context, next) => {
    if (isBare(context.req.raw.headers) || isJson(context.req.header('content-type'))) return next();
    return problem(context, 415, 'content_type', 'send `Content-Type: application/json`');
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/api/status', (context) => context.json(options.status()));
  app.route('/api', webhookRoutes(options.webhooks));
  app.route('/api', commandRoutes(options.webhooks));
  app.route('/api', deliveryRoutes(options.store, options.operations));
  app.route('/api', outboxRoutes(options.store, options.operations));
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

/** Without a body there is nothing to be of a wrong type. */
function isBare(headers: Headers): boolean {
  return (headers.get('content-length') ?? '0') === '0' && !headers.has('transfer-encoding');
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}
