import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programEnvironment } from '../../lib/process/subprocess.ts';
import { askUntil, freePort, openProgram } from '../program.ts';
import type { CloudflaredSettings } from '../settings.ts';
import { type OpenContext, type TunnelDriver, TunnelFailure } from '../tunnel.ts';

const PROGRAM = {
  program: 'cloudflared',
  howToGet:
    'Install cloudflared: "brew install cloudflared", or see https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/.',
};

/** Cloudflare counts quick tunnels per address; asking again soon prolongs it. */
const RATE_LIMIT_MS = 5 * 60_000;

/** `api.` is where quick tunnels are made, and appears in error messages. */
const QUICK_HOST = /^(?!api\.)[a-z0-9-]+\.trycloudflare\.com$/;

/**
 * Cloudflare's client: a quick tunnel with a new URL at each start, or a named tunnel by token.
 * The URL comes from the metrics server (`/quicktunnel`, `/ready`: cloudflared's `metrics/metrics.go`), because the
 * output has other URLs in it, among them the terms of service.
 */
export const cloudflared: TunnelDriver<CloudflaredSettings> = {
  name: 'cloudflared',
  summary: 'Cloudflare: no account needed, new URL at each start; a stable one with a token',
  needs: PROGRAM,
  silenceMs: null,
  async open(context) {
    const metrics = `127.0.0.1:${await freePort(context.clock)}`;
    // Without an empty configuration the user's own ingress rules would answer every request with 404.
    const config = await emptyConfig(context.folder);
    const common = ['tunnel', '--config', config, '--no-autoupdate', '--metrics', metrics];
    const named = namedTunnel(context);
    return openProgram(context, {
      ...PROGRAM,
      args: named ? [...common, 'run'] : [...common, '--url', `http://127.0.0.1:${context.ingressPort}`],
      env: { ...programEnvironment(context.env), ...named?.env },
      stable: named !== null,
      read: () => null,
      ask: async (signal) => {
        const asking = { clock: context.clock, signal };
        const url = named?.url ?? (await askUntil(`http://${metrics}/quicktunnel`, asking, quickUrl));
        await askUntil(`http://${metrics}/ready`, asking, () => true);
        return url;
      },
      explain,
    });
  },
};

/** `{"hostname":"some-words.trycloudflare.com"}`, without a scheme; the hostname is empty at first. */
function quickUrl(text: string): string | null {
  const hostname = /"hostname"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? '';
  return QUICK_HOST.test(hostname) ? `https://${hostname}` : null;
}

function namedTunnel({ settings, env }: OpenContext<CloudflaredSettings>) {
  const { tokenEnv, url } = settings;
  if (tokenEnv === undefined) return null;
  const token = env[tokenEnv];
  if (!token) throw new TunnelFailure(`${tokenEnv} is not set`, { fix: `Set ${tokenEnv}.`, final: true });
  if (url === undefined) {
    const fix =
      'Add "url: https://…" to the tunnel in webhooks.yml: the public hostname that you gave the tunnel.';
    throw new TunnelFailure('a named tunnel does not tell its URL', { fix, final: true });
  }
  // In the environment, not in the arguments, which every user of the machine can read.
  return { url: url.replace(/\/+$/, ''), env: { TUNNEL_TOKEN: token } };
}

function explain(lines: string): TunnelFailure | null {
  if (/error code: 1015|429 Too Many Requests|status_code="?429/i.test(lines)) {
    return new TunnelFailure('Cloudflare allows no more quick tunnels for the moment (429, error 1015)', {
      retryAfterMs: RATE_LIMIT_MS,
      fix: 'Wait some minutes, or use a named tunnel (tokenEnv and url) or another kind: "hookctl tunnel list".',
    });
  }
  if (/Provided Tunnel token is not valid|Unauthorized: Invalid tunnel secret/i.test(lines)) {
    const fix = 'Copy the token of the tunnel again from the Cloudflare dashboard.';
    return new TunnelFailure('Cloudflare does not take the tunnel token', { fix, final: true });
  }
  return null;
}

async function emptyConfig(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'cloudflared-empty.yml');
  await writeFile(file, '', { mode: 0o600 });
  return file;
}
