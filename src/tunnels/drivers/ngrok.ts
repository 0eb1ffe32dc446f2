import { programEnvironment } from '../../lib/process/subprocess.ts';
import type { NgrokSettings } from '../settings.ts';
import { type OpenContext, type TunnelDriver, TunnelFailure } from '../tunnel.ts';
import { failureIn, findTunnel, openAtAgent } from './ngrok-agent.ts';
import { type Finding, openProgram } from '../program.ts';

const HOW_TO_GET =
  'Install ngrok from https://ngrok.com/download and run "ngrok config add-authtoken <token>".';

/**
 * ngrok: through the agent that is running (a free account may have only one), else through one of our own. A tunnel
 * is recognised by the address it leads to, never by its place in the list.
 */
export const ngrok: TunnelDriver<NgrokSettings> = {
  name: 'ngrok',
  summary: 'ngrok: needs an account; stable URL with a reserved domain',
  silenceMs: null,
  async open(context) {
    return (await openAtAgent(context)) ?? openOwnAgent(context);
  },
};

function openOwnAgent(context: OpenContext<NgrokSettings>) {
  const { settings, ingressPort, env } = context;
  const domain = settings.domain === undefined ? [] : ['--url', `https://${settings.domain}`];
  return openProgram(context, {
    program: 'ngrok',
    howToGet: HOW_TO_GET,
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
