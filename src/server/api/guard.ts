import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { RunScope } from '../../mcp/scope.ts';
import type { Secret } from '../../types.ts';
import { type Caller, OPERATOR_CALLER } from '../access/caller.ts';
import { operatorOnly } from '../access/needs.ts';
import type { Tokens } from '../access/tokens.ts';
import { problem } from './route.ts';

/**
 * Headers that only a proxy, a content network or a tunnel adds. Sources: RFC 7239, 9110 and 8586, and the pages in which
 * each vendor lists what it adds. Trace ids are not among them: clients send them, too.
 */
const NAMES: ReadonlySet<string> = new Set([
  // Standards, and what proxies added before them.
  ...['forwarded', 'forwarded-for', 'forwarded-for-ip', 'via', 'cdn-loop', 'surrogate-capability'],
  ...[
    'max-forwards',
    'proxy-connection',
    'proxy-client-ip',
    'wl-proxy-client-ip',
    'client-ip',
    'x-client-ip',
  ],
  ...[
    'x-via',
    'x-host',
    'x-scheme',
    'x-url-scheme',
    'x-rewrite-url',
    'x-request-start',
    'x-http-host-override',
  ],
  ...['remote-addr', 'x-originating-ip', 'x-forward-for', 'z-forwarded-for', 'x-nginx-proxy', 'x-cdn'],
  ...['front-end-https', 'x-forwarder-for', 'x-coming-from', 'x-bluecoat-via', 'x-varnish', 'x-iinfo'],
  // Cloudflare, Akamai, DigitalOcean, Google, Heroku.
  ...['true-client-ip', 'do-connecting-ip', 'x-cloud-trace-context', 'x-gfe-request-trace', 'connect-time'],
]);

/** Families of such headers, each of one vendor or of one meaning. */
const PREFIXES: readonly string[] = [
  ...[
    'x-forwarded',
    'x-original',
    'x-real-',
    'x-cluster-',
    'x-remote-',
    'x-proxy',
    'x-lb-',
    'x-kong-',
    'x-sigsci-',
  ],
  ...['cf-', 'cdn-', 'fastly-', 'akamai-', 'x-akamai-', 'cloudfront-', 'incap-', 'x-sucuri-', 'x-edge-'],
  ...['x-envoy-', 'x-amzn-', 'x-amz-cf-', 'x-azure-', 'x-arr-', 'x-ms-', 'x-fd-', 'x-appengine-', 'x-goog-'],
  ...['fly-', 'x-vercel-', 'x-nf-', 'x-render-', 'x-railway-', 'x-replit-', 'x-heroku-', 'x-traefik-'],
  ...[
    'ngrok',
    'x-ngrok',
    'tailscale-',
    'x-tailscale-',
    'x-pinggy-',
    'x-localtunnel-',
    'x-tunnel-',
    'x-zrok-',
  ],
];

/** Whether a header, in lower case, shows that the request came through a proxy. Some proxies write `_` for `-`. */
function isProxyHeader(name: string): boolean {
  const plain = name.replaceAll('_', '-');
  return NAMES.has(plain) || PREFIXES.some((prefix) => plain.startsWith(prefix));
}

/** What requests to the management socket carry on the way to their route. */
export interface ManagementEnv {
  readonly Bindings: HttpBindings;
  /** Set for every request that had to have a token. */
  readonly Variables: { caller: Caller };
}

/** The page on which a person makes a GitHub App: its path is the proof. GitHub leads back to it, so that no token can come along. */
const APP_PAGE = /^\/connect\/github\/[\w-]{43}$/;

/** The dashboard's document and files; its data needs the token. */
const DASHBOARD = /^\/dashboard(?:\/|$)/;

/** The only paths that a run's token opens. */
const FOR_RUNS = /^\/(?:mcp|hooks\/(?:claude|git)\/[^/]+)$/;
/** The only paths that an owner's token opens. Below /api each route says which scope it takes. */
const FOR_OWNERS = /^\/(?:api\/.*|mcp|metrics)$/;

/** What tells whose a token is. */
export interface TokenSources {
  /** The operator's, which opens everything. */
  readonly token: Secret;
  readonly runs: { scopeOf(token: string): RunScope | null };
  readonly tokens: Pick<Tokens, 'find'>;
}

/**
 * Lets in only requests that may manage: the token as Bearer, exactly one Host that is ours (a rebinding page sends its own),
 * no foreign Origin, nothing that came through a proxy. `/healthz` asks for no token, nor does the page of a GitHub App. A run's token opens MCP and hooks
 * alone, and an owner's what belongs to that owner.
 */
export function guard(sources: TokenSources): MiddlewareHandler<ManagementEnv> {
  return async (context, next) => {
    const { rawHeaders, headers, socket, url = '' } = context.env.incoming;
    const { localPort } = socket;
    // A unix socket has no port, and no page of a browser reaches it.
    const allowed =
      localPort === undefined
        ? ['localhost']
        : ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${localPort}`);
    const hosts = rawHeaders.filter(
      (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host',
    );
    if (hosts.length !== 1 || !allowed.includes(hosts[0] ?? '')) {
      return problem(context, 421, 'wrong_host', `Host must be one of ${allowed.join(', ')}`);
    }
    if (!isPlain(url)) {
      return problem(
        context,
        400,
        'bad_path',
        'write the path as it is, without dots, doubled slashes or needless escapes',
      );
    }
    // Management is loopback: a proxy before it leads strangers here.
    if (Object.keys(headers).some(isProxyHeader)) {
      return problem(
        context,
        403,
        'proxied',
        'the request came through a proxy; management answers only locally',
      );
    }
    const path = url.split('?', 1)[0] ?? '';
    if (APP_PAGE.test(path) && isVisit(context.env.incoming)) return next();
    // The dashboard's files hold nothing that is secret; a frame or a script of another origin gets none of them.
    if (DASHBOARD.test(path) && isVisit(context.env.incoming)) return next();
    if (!sameOrigin(headers.origin, headers['sec-fetch-site'], allowed)) {
      return problem(context, 403, 'foreign_origin', 'the request comes from a page of another origin');
    }
    // It says that the process answers, as on the ingress; a supervisor has no token.
    if (url === '/healthz' || (DASHBOARD.test(path) && context.env.incoming.method === 'GET')) return next();
    const caller = callerOf(headers.authorization, sources);
    if (caller === null)
      return problem(context, 401, 'token', 'send the token of `hookctl token` as `Authorization: Bearer …`');
    if (caller === 'expired')
      return problem(context, 401, 'token_expired', 'the token has expired', {
        fix: 'Ask the person who runs hookctl for a new one: hookctl token create',
      });
    if (caller.kind === 'run' && !FOR_RUNS.test(context.req.path))
      return problem(context, 403, 'run_token', 'the token of a run opens /mcp and its hooks alone');
    if (caller.kind === 'owner' && !FOR_OWNERS.test(context.req.path)) return operatorOnly(context);
    context.set('caller', caller);
    return next();
  };
}

/** A person's browser goes there, from GitHub or from a link; no page of another origin reads it or embeds it. */
function isVisit({ method, headers }: IncomingMessage): boolean {
  const kind = headers['sec-fetch-dest'];
  return method === 'GET' && headers.origin === undefined && (kind === undefined || kind === 'document');
}

/** Escapes of letters, digits and `-._~`, which need no escape. */
const NEEDLESS_ESCAPE = /%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i;

/**
 * A path that every reader takes for the same: the framework resolves dots and escapes before it looks for a route, so
 * that `/webhooks/../api/x` would be `/api/x` here and something else to a filter on the way.
 */
function isPlain(target: string): boolean {
  const path = target.split('?', 1)[0] ?? '';
  if (!path.startsWith('/') || path.includes('//') || NEEDLESS_ESCAPE.test(path)) return false;
  return URL.parse(path, 'http://localhost')?.pathname === path;
}

function sameOrigin(origin: string | undefined, site: unknown, allowed: readonly string[]): boolean {
  const ours = origin === undefined || allowed.some((host) => origin === `http://${host}`);
  return ours && (site === undefined || site === 'same-origin' || site === 'none');
}

/** Whose token a request has; null when it has none that counts. */
function callerOf(
  authorization: string | undefined,
  { token, runs, tokens }: TokenSources,
): Caller | 'expired' | null {
  if (hasToken(authorization, token)) return OPERATOR_CALLER;
  const text = bearer(authorization);
  const run = runs.scopeOf(text);
  return run === null ? tokens.find(text) : { kind: 'run', run };
}

function bearer(authorization: string | undefined): string {
  return /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
}

/** Hashed first, so that the comparison takes the same time for a token of any length. */
function hasToken(authorization: string | undefined, token: Secret): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(authorization ?? ''), hash(`Bearer ${token.reveal()}`));
}
