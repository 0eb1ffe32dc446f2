import { programEnvironment } from '../../lib/process/subprocess.ts';
import { pause } from '../../lib/time.ts';
import { type HttpAnswer, send } from '../http.ts';
import { type Finding, openProgram } from '../program.ts';
import type { NgrokSettings } from '../settings.ts';
import {
  type OpenContext,
  type OpenTunnel,
  type TunnelDriver,
  TunnelFailure,
  trackState,
} from '../tunnel.ts';

const ASK_TIMEOUT_MS = 3_000;
const ASK_EVERY_MS = 10_000;
const ONE_SESSION_MS = 60_000;

/** Where a tunnel of the agent leads, and its public URL. */
interface AgentTunnel {
  readonly addr: string;
  readonly url: string;
}

/** The https URL of the tunnel that leads to this port of this machine; null when there is none. */
export function findTunnel(tunnels: readonly AgentTunnel[], ingressPort: number): string | null {
  const local = new RegExp(`^(https?://)?((localhost|127\\.0\\.0\\.1|\\[::1\\]):)?${ingressPort}/?$`);
  const found = tunnels.find(({ addr, url }) => local.test(addr) && url.startsWith('https://'));
  return found?.url.replace(/\/+$/, '') ?? null;
}

/** A tunnel at the agent that is running: the one that leads here, else a new one. Null when no agent runs. */
async function openAtAgent(context: OpenContext<NgrokSettings>): Promise<OpenTunnel | null> {
  const { ingressPort, settings } = context;
  const known = await listTunnels(context);
  if (known === null) return null;
  const found = findTunnel(known, ingressPort);
  const url = found ?? (await createTunnel(context));
  return heldByAgent(context, { url, stable: settings.domain !== undefined, isOurs: found === null });
}

/** What the codes in ngrok's messages mean, for those that a user can do something about. */
function failureIn(text: string): TunnelFailure | null {
  switch (/ERR_NGROK_(\d+)/.exec(text)?.[1]) {
    case '108':
      return new TunnelFailure('ngrok allows one agent at a time for this account (ERR_NGROK_108)', {
        fix: 'Stop the other agent (dashboard.ngrok.com/agents); if it runs here, hookctl uses it by itself.',
        retryAfterMs: ONE_SESSION_MS,
      });
    case '105':
    case '107':
    case '4018':
      return new TunnelFailure('ngrok does not know this machine: no authtoken, or a wrong one', {
        fix: 'Run "ngrok config add-authtoken <token>" with the token of dashboard.ngrok.com.',
        final: true,
      });
    default:
      return null;
  }
}

/** Watches a tunnel that the agent keeps up, and takes down the one that we asked it for. */
function heldByAgent(
  context: OpenContext<NgrokSettings>,
  { url, stable, isOurs }: { readonly url: string; readonly stable: boolean; readonly isOurs: boolean },
): OpenTunnel {
  const { state, enter } = trackState(context);
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  enter('up', 'the ngrok agent keeps it up');
  const watching = (async () => {
    while (await pause(context.clock.scaled(ASK_EVERY_MS), signal)) {
      const tunnels = await listTunnels({ ...context, signal });
      if (signal.aborted || (tunnels !== null && findTunnel(tunnels, context.ingressPort) === url)) continue;
      enter('down', tunnels === null ? 'the ngrok agent has ended' : 'the ngrok agent has closed the tunnel');
      return;
    }
  })();
  return {
    ...{ url, stable, byteExact: true, canRespond: true, leadsTo: null, expiresAt: null, state },
    async close() {
      enter('down', 'closed');
      if (over.signal.aborted) return;
      over.abort();
      await watching;
      if (isOurs) await deleteTunnel(context);
    },
  };
}

/** Null when no agent answers. */
async function listTunnels(context: OpenContext<NgrokSettings>): Promise<readonly AgentTunnel[] | null> {
  const answer = await ask(context, 'GET', '/api/tunnels').catch(() => null);
  if (answer?.status !== 200) return null;
  const list = parse<{ readonly tunnels?: readonly ApiTunnel[] }>(answer.text);
  return list?.tunnels?.map(toTunnel) ?? null;
}

/** Null when it is no JSON: then it is no ngrok agent that answers there. */
function parse<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

interface ApiTunnel {
  readonly public_url?: string;
  readonly config?: { readonly addr?: string };
}

function toTunnel({ config, public_url: url = '' }: ApiTunnel): AgentTunnel {
  return { addr: config?.addr ?? '', url };
}

function nameOf({ ingressPort }: OpenContext): string {
  return `hookctl-${ingressPort}`;
}

async function createTunnel(context: OpenContext<NgrokSettings>): Promise<string> {
  const { ingressPort, settings } = context;
  const asked = { name: nameOf(context), proto: 'http', addr: `127.0.0.1:${ingressPort}` };
  const domain = settings.domain === undefined ? {} : { domain: settings.domain };
  const answer = await ask(context, 'POST', '/api/tunnels', JSON.stringify({ ...asked, ...domain }));
  const found = findTunnel([toTunnel(parse<ApiTunnel>(answer.text) ?? {})], ingressPort);
  if (found !== null) return found;
  const why = answer.text.slice(0, 300);
  throw (
    failureIn(why) ?? new TunnelFailure(`the ngrok agent made no tunnel: it answered ${answer.status} ${why}`)
  );
}

async function deleteTunnel(context: OpenContext<NgrokSettings>): Promise<void> {
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
  // The agent may have gone with its tunnels, which is what we want.
  await ask({ ...context, signal }, 'DELETE', `/api/tunnels/${nameOf(context)}`).catch(() => undefined);
}

function ask(
  { settings, signal }: OpenContext<NgrokSettings>,
  method: string,
  path: string,
  body?: string,
): Promise<HttpAnswer> {
  const base = (settings.apiUrl ?? 'http://127.0.0.1:4040').replace(/\/+$/, '');
  const headers = { 'content-type': 'application/json' };
  return send(base + path, { method, headers, timeoutMs: ASK_TIMEOUT_MS, signal, ...(body && { body }) });
}

const PROGRAM = {
  program: 'ngrok',
  howToGet: 'Install ngrok from https://ngrok.com/download and run "ngrok config add-authtoken <token>".',
};

/**
 * ngrok: through the agent that is running (a free account may have only one), else through one that hookctl starts. A tunnel
 * is recognised by the address it leads to, never by its place in the list.
 */
export const ngrok: TunnelDriver<NgrokSettings> = {
  name: 'ngrok',
  summary: 'ngrok: needs an account; stable URL with a reserved domain',
  needs: PROGRAM,
  silenceMs: null,
  async open(context) {
    return (await openAtAgent(context)) ?? openOwnAgent(context);
  },
};

function openOwnAgent(context: OpenContext<NgrokSettings>) {
  const { settings, ingressPort, env } = context;
  const domain = settings.domain === undefined ? [] : ['--url', `https://${settings.domain}`];
  return openProgram(context, {
    ...PROGRAM,
    args: ['http', '--log', 'stdout', '--log-format', 'json', ...domain, `127.0.0.1:${ingressPort}`],
    env: { ...programEnvironment(env, 'NGROK_AUTHTOKEN'), ...authtoken(context) },
    stable: settings.domain !== undefined,
    read: (line) => readLog(line, ingressPort),
    explain: failureIn,
  });
}

/** `{"lvl":"info","msg":"started tunnel","addr":"http://localhost:8000","url":"https://…"}`. */
function readLog(line: string, ingressPort: number): Finding | null {
  if (!line.includes('"started tunnel"')) return null;
  const addr = /"addr":"([^"]*)"/.exec(line)?.[1] ?? '';
  const url = /"url":"(https:[^"]*)"/.exec(line)?.[1] ?? '';
  const found = findTunnel([{ addr, url }], ingressPort);
  return found === null ? null : { kind: 'url', url: found };
}

function authtoken({ settings: { authtokenEnv }, env }: OpenContext<NgrokSettings>) {
  if (authtokenEnv === undefined) return {};
  const token = env[authtokenEnv];
  if (token) return { NGROK_AUTHTOKEN: token };
  throw new TunnelFailure(`${authtokenEnv} is not set`, { fix: `Set ${authtokenEnv}.`, final: true });
}
