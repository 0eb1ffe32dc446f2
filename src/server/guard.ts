import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { Secret } from '../types.ts';
import { problem } from './problem.ts';

/** Headers that only a proxy or a tunnel adds: management is loopback, so somebody leads strangers here. */
const PROXY_HEADERS =
  /^(?:forwarded|x-forwarded-.+|x-real-ip|x-original-host|via|cf-.+|ngrok-.+|tailscale-.+)$/;

/**
 * Lets in only who may manage: the token as Bearer, exactly one Host that is ours (a rebinding page sends its own),
 * no foreign Origin, nothing that came through a proxy.
 */
export function guard(token: Secret): MiddlewareHandler<{ Bindings: HttpBindings }> {
  return async (context, next) => {
    const { rawHeaders, headers, socket } = context.env.incoming;
    const allowed = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${socket.localPort}`);
    const hosts = rawHeaders.filter(
      (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host',
    );
    if (hosts.length !== 1 || !allowed.includes(hosts[0] ?? '')) {
      return problem(context, 421, 'wrong_host', `Host must be one of ${allowed.join(', ')}`);
    }
    if (Object.keys(headers).some((name) => PROXY_HEADERS.test(name))) {
      return problem(
        context,
        403,
        'proxied',
        'the request came through a proxy; management answers only locally',
      );
    }
    if (!sameOrigin(headers.origin, headers['sec-fetch-site'], allowed)) {
      return problem(context, 403, 'foreign_origin', 'the request comes from a page of another origin');
    }
    if (!hasToken(headers.authorization, token)) {
      return problem(context, 401, 'token', 'send the token of `hookctl token` as `Authorization: Bearer …`');
    }
    return next();
  };
}

function sameOrigin(origin: string | undefined, site: unknown, allowed: readonly string[]): boolean {
  const ours = origin === undefined || allowed.some((host) => origin === `http://${host}`);
  return ours && (site === undefined || site === 'same-origin' || site === 'none');
}

/** Hashed first, so that the comparison takes the same time for a token of any length. */
function hasToken(authorization: string | undefined, token: Secret): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(authorization ?? ''), hash(`Bearer ${token.reveal()}`));
}
