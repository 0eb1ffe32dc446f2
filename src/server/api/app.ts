import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Registrations } from '../../github-app/registration.ts';
import type { Redactor } from '../../lib/redact/redact.ts';
import type { McpEndpoint } from '../../mcp/http.ts';
import { hookctlVersion } from '../../package-root.ts';
import { type Actor, type NewAuditEntry, OPERATOR } from '../../types.ts';
import type { Caller } from '../access/caller.ts';
import { admitted, needs } from '../access/needs.ts';
import { ownerOf, ownersIn } from '../access/owned.ts';
import { tokenRoutes } from '../access/routes.ts';
import { dashboardPages } from '../dashboard/pages.ts';
import { readRoutes } from '../dashboard/reads.ts';
import type { Feed } from '../live/feed.ts';
import { eventRoutes } from '../live/routes.ts';
import { metricsOf } from '../metrics.ts';
import { ownStatus, type StatusView } from '../status.ts';
import { audited, auditRoutes } from './audit.ts';
import { connectionRoutes } from './connect/connections.ts';
import { type GithubAppParts, githubAppRoutes, registrationPage } from './connect/github-app.ts';
import { deliveryRoutes } from './deliveries.ts';
import { conversationRoutes, flowRoutes } from './flows.ts';
import { type GitParts, gitCredentialRoutes } from './git-credentials.ts';
import { guard, type ManagementEnv, type TokenSources } from './guard.ts';
import { outboxRoutes } from './outbox.ts';
import type { Readiness } from './readiness.ts';
import { recoverRoutes } from './recover.ts';
import {
  type ApiEnv,
  type ApiParts,
  type AuditedChange,
  answerError,
  ownerAsking,
  parseQuery,
  problem,
  StatusQuery,
} from './route.ts';
import { claudeHookRoutes, type RunAccess } from './runs.ts';
import { agentRoutes, scheduleRoutes, taskRoutes } from './tasks.ts';
import type { WebhookAdmin } from './webhook-admin.ts';
import { webhookRoutes } from './webhooks.ts';
import { workspaceRoutes } from './workspaces.ts';

/** What only a server has: webhooks in force, and a status. */
interface ServedParts {
  readonly webhooks: WebhookAdmin;
  readonly status: (owner?: string) => StatusView;
  readonly feed: Pick<Feed, 'read'>;
  readonly reads: Omit<Parameters<typeof readRoutes>[0], 'context'>;
  readonly githubApp: GithubAppParts;
}

interface ManagementApiOptions extends ApiParts {
  /** Puts a change on record; resolves when it is on disk. */
  readonly record: (change: AuditedChange & Pick<NewAuditEntry, 'owner'>, actor: Actor) => Promise<void>;
  /** Null in a command that works on the data folder without a server. */
  readonly served: ServedParts | null;
  /** Called with what broke while a request was answered. */
  readonly onError: (error: unknown) => void;
}

/**
 * Every operation that changes something, and what programs read. A server answers it on its management socket; a
 * command that holds the data folder itself asks it with `request()`, so that both validate and record the same.
 */
export function managementApi(options: ManagementApiOptions): Hono<ApiEnv> {
  const { served, onError } = options;
  const { store } = options.context;
  const api = new Hono<ApiEnv>().basePath('/api');
  api.use(admitted(ownersIn(options)));
  api.use(async (_, next) => {
    // What was acknowledged before the question belongs into the answer.
    await Promise.race([
      store.indexed().catch(() => undefined),
      delay(INDEX_PATIENCE_MS, null, { ref: false }),
    ]);
    await next();
  });
  api.use(
    audited((change, actor) => {
      const owner = change.target === null ? OPERATOR : ownerOf(options.context, change.target);
      return options.record({ ...change, owner }, actor);
    }),
  );
  api.get('/openapi.json', needs('read'), async (context) => {
    const { openApiDocument } = await import('../openapi/document.ts');
    return context.json(openApiDocument(hookctlVersion()));
  });
  if (served !== null) {
    api.get('/status', needs('read'), (context) => {
      const { owner } = parseQuery(StatusQuery, context);
      const view = served.status(owner);
      const asking = ownerAsking(context);
      if (asking === undefined) return context.json(view);
      return context.json(ownStatus(view, store.count('deliveries', { status: 'pending', owner: asking })));
    });
    api.route('/', eventRoutes(served.feed));
    api.route('/', readRoutes({ ...options, ...served.reads }));
    api.route('/', webhookRoutes(served.webhooks));
    api.route('/', githubAppRoutes(served.githubApp));
  }
  for (const routes of [
    deliveryRoutes,
    recoverRoutes,
    connectionRoutes,
    outboxRoutes,
    taskRoutes,
    agentRoutes,
    workspaceRoutes,
    scheduleRoutes,
    tokenRoutes,
  ])
    api.route('/', routes(options));
  for (const routes of [flowRoutes, conversationRoutes, auditRoutes]) api.route('/', routes(store));
  return api.onError(answerError(onError));
}

/** How long an answer waits for the index, in ms; `problems` of the status says how much is missing then. */
const INDEX_PATIENCE_MS = 2_000;

interface ManagementSocketOptions extends TokenSources {
  readonly api: Hono<ApiEnv>;
  /** Answers `/mcp`. */
  readonly mcp: Pick<McpEndpoint<Caller>, 'answer'>;
  readonly runs: Pick<RunAccess, 'scopeOf' | 'reported'>;
  /** Why nothing could be stored now. */
  readonly readiness: Readiness;
  /** In Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly redactor: Redactor;
  readonly registrations: Pick<Registrations, 'isPage' | 'answer'>;
  readonly git: Omit<GitParts, 'runs'>;
  readonly onError: (error: unknown) => void;
}

/** The private socket: loopback only, every request but `/healthz` and a GitHub App's page with the token. No tunnel ever points here. */
export function managementSocket(options: ManagementSocketOptions): Server {
  const app = new Hono<ManagementEnv>();
  app.use(guard(options));
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    context.header('cross-origin-resource-policy', 'same-origin');
  });
  app.use(redactedAnswers(options.redactor));
  app.use(boundedBodies);
  app.use('/api/*', async (context, next) => {
    const { headers } = context.env.incoming;
    const length = Number(headers['content-length'] ?? 0);
    if (length === 0 || isJson(headers['content-type'])) return next();
    return problem(context, 415, 'content_type', 'send `Content-Type: application/json`');
  });
  // Not the ingress's answer, by which `tunnel open` knows where it may lead.
  app.get('/healthz', (context) => context.json({ status: 'ok', socket: 'management' }));
  app.get('/readyz', async (context) => {
    const reasons = await options.readiness();
    if (reasons.length === 0) return context.json({ status: 'ready' });
    context.header('retry-after', '5');
    return problem(context, 503, 'not_ready', reasons.join('; '));
  });
  app.get('/metrics', async (context) => {
    context.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    const caller = context.get('caller');
    const text = await options.metrics();
    return context.body(caller.kind === 'owner' ? metricsOf(text, caller.token.owner) : text);
  });
  app.get('/connect/github/:page', (context) => registrationPage(context, options.registrations));
  app.route('/', dashboardPages());
  app.route('/', options.api);
  app.route('/', claudeHookRoutes(options.runs));
  app.route('/', gitCredentialRoutes({ ...options.git, runs: options.runs }));
  app.all('/mcp', (context) => options.mcp.answer(context.req.raw, context.get('caller')));
  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = allowedMethods(app, path);
    if (allowed.length === 0) return problem(context, 404, 'not_found', `there is no ${path}`);
    context.header('allow', allowed.join(', '));
    return problem(context, 405, 'method_not_allowed', `${path} does not take ${method}`);
  });
  app.onError(answerError(options.onError));
  // Without the flag the adapter replaces the global Request and Response of the whole process.
  return createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
}

/** A replayed file of GitHub's largest body, as base64, with room for its headers. */
const BODY_LIMIT = 40 * 1024 * 1024;
/** What agents send to `/mcp` and `/hooks`: more than the longest last message; a transcript is named by its path. */
const AGENT_BODY_LIMIT = 1024 * 1024;

/** Bodies of known length within the limit of their path: routes read them whole. */
const boundedBodies: MiddlewareHandler<ManagementEnv> = async (context, next) => {
  const { headers } = context.env.incoming;
  if (headers['transfer-encoding'] !== undefined) {
    return problem(context, 411, 'length_required', 'send the body with a Content-Length');
  }
  const limit = context.req.path.startsWith('/api/') ? BODY_LIMIT : AGENT_BODY_LIMIT;
  if (Number(headers['content-length'] ?? 0) <= limit) return next();
  return problem(context, 413, 'body_too_large', `body over ${limit / 1024 / 1024} MB`);
};

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}

/** Answers that are as they are: bytes of a delivery, to be replayed elsewhere, would no longer verify; events were redacted before. */
const EXACT = /^\/api\/(?:deliveries\/[^/]+|events)$/;
/** Configuration, which may be sent back changed: only known secrets are taken out of it. */
const CONFIGURATION = /^\/api\/(?:webhooks|commands)(?:\/|$)/;
/** Where a `POST` makes secrets, or asks for one, which its answer alone shows. */
const SHOWS_NEW_SECRETS =
  /^\/(?:api\/(?:connections|tokens|webhooks(?:\/import|\/[^/]+\/rotate-secret)?)|hooks\/git\/[^/]+)$/;

/** Takes secrets out of every answer in text: what is known, and but for configuration what looks like one. */
function redactedAnswers({ redact, redactKnown }: Redactor): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const type = context.res.headers.get('content-type') ?? '';
    const { method, path } = context.req;
    const { status, headers, body } = context.res;
    const isShown = method === 'POST' && status < 300 && SHOWS_NEW_SECRETS.test(path);
    if (isShown || (EXACT.test(path) && status === 200) || body === null) return;
    const isProblem = type.startsWith('application/problem+json');
    const clean = CONFIGURATION.test(path) && !isProblem ? redactKnown : redact;
    if (type.startsWith('text/event-stream')) {
      const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(byEvent(clean));
      context.res = new Response(events.pipeThrough(new TextEncoderStream()), { status, headers });
    } else if (/^(?:application\/(?:\w+\+)?json|text\/plain)/.test(type)) {
      context.res = new Response(clean(await context.res.text()), { status, headers });
    }
  };
}

/** Changes a stream of server-sent events one whole event at a time. */
function byEvent(change: (text: string) => string): TransformStream<string, string> {
  let waiting = '';
  return new TransformStream({
    transform(chunk, controller) {
      waiting += chunk;
      const end = waiting.lastIndexOf('\n\n');
      if (end < 0) return;
      controller.enqueue(change(waiting.slice(0, end + 2)));
      waiting = waiting.slice(end + 2);
    },
    flush(controller) {
      if (waiting !== '') controller.enqueue(change(waiting));
    },
  });
}

/** The methods under which a path is known; empty for an unknown path. Hono itself answers 404 for both. */
function allowedMethods({ routes }: Pick<Hono, 'routes'>, path: string): readonly string[] {
  const methods = routes
    .filter(({ method, path: pattern }) => method !== 'ALL' && matches(pattern, path))
    .map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();
}

function matches(pattern: string, path: string): boolean {
  const given = path.split('/');
  const wanted = pattern.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => (part.startsWith(':') ? given[index] !== '' : given[index] === part))
  );
}
