import type { Environment } from '../../../lib/process/subprocess.ts';
import { TunnelFailure } from '../../tunnel.ts';
import { networkReason, send } from '../../http.ts';

const TIMEOUT_MS = 15_000;

/**
 * Asks a smee or gosmee server (default choice: `https://smee.io`) for a new channel and returns its URL. smee.io
 * answers `/new` with a redirect to it, gosmee with the URL as text. Whoever knows the URL can listen and post.
 * Throws `TunnelFailure`.
 */
export async function createSmeeChannel(serverUrl: string, env: Environment): Promise<string> {
  const server = serverUrl.replace(/\/+$/, '');
  const url = await askForChannel(server, env);
  if (url !== null) return url;
  throw new TunnelFailure(`${server} made no channel: it is no smee or gosmee server`, {
    fix: 'Use https://smee.io, or the address of your own server.',
  });
}

async function askForChannel(server: string, env: Environment): Promise<string | null> {
  try {
    const { status, headers, text } = await send(`${server}/new`, { env, timeoutMs: TIMEOUT_MS });
    const told = status >= 300 && status < 400 ? headers.location : text.trim();
    const url = URL.parse(told ?? '', server);
    const isChannel = status < 400 && url !== null && /^\/[a-zA-Z0-9_-]{8,128}$/.test(url.pathname);
    return isChannel && /^https?:$/.test(url.protocol) ? `${url.origin}${url.pathname}` : null;
  } catch (error) {
    throw new TunnelFailure(`${server} does not answer: ${networkReason(error)}`, { cause: error });
  }
}
