import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { programEnvironment } from '../../lib/process/subprocess.ts';
import { askUntil, type Finding, freePort, openProgram } from '../program.ts';
import type { SshProfileName, SshSettings } from '../settings.ts';
import { type OpenContext, type TunnelDriver, TunnelFailure } from '../tunnel.ts';

/** How one SSH server wants to be asked, and how it tells the URL. */
interface SshService {
  readonly host: string;
  readonly port: number;
  /** What to ask for in `-R`. */
  readonly remotePort: number;
  /** Sent as the remote command; empty: none. */
  readonly command: readonly string[];
  /** It asks for a password and takes an empty one, which BatchMode would refuse to give. */
  readonly asksForPassword: boolean;
  /** Remote port of a web API that tells the URLs; null when there is none. */
  readonly debuggerPort: number | null;
  /** The URL, when it is known beforehand. */
  readonly url: string | null;
  readonly read: (line: string) => Finding | null;
}

const DEFAULTS = {
  port: 22,
  remotePort: 80,
  command: [],
  asksForPassword: false,
  debuggerPort: null,
  url: null,
};

/** The public services as observed, and any `sshd`. Their help texts name other URLs, so only known hosts count. */
export const SSH_SERVICES: Readonly<Record<Exclude<SshProfileName, 'sshd'>, SshService>> & {
  readonly sshd: (url: string) => SshService;
} = {
  'localhost.run': {
    ...DEFAULTS,
    host: 'nokey@localhost.run',
    command: ['--output', 'json'],
    read: readLocalhostRun,
  },
  pinggy: {
    ...DEFAULTS,
    host: 'free@a.pinggy.io',
    port: 443,
    remotePort: 0,
    asksForPassword: true,
    // https://pinggy.io/docs/api/web_debugger_api: GET /urls
    debuggerPort: 4300,
    read: readPinggy,
  },
  serveo: {
    ...DEFAULTS,
    host: 'serveo.net',
    asksForPassword: true,
    read: (line) =>
      line.includes('Forwarding HTTP traffic from')
        ? urlIn(line, ['.serveo.net', '.serveousercontent.com'])
        : null,
  },
  sshd: (url) => ({
    ...DEFAULTS,
    host: '',
    remotePort: 8000,
    url,
    read: (line) => (/remote forward success for: listen/.test(line) ? { kind: 'url', url } : null),
  }),
};

/**
 * localhost.run: lines of JSON in one of two dialects (`event: tcpip-forward` with an address; CloudEvents), between
 * lines that are none. The event comes again when the free domain rotates.
 */
function readLocalhostRun(line: string): Finding | null {
  const event = parseObject(line);
  const { address, authz_code: code, type, data } = event;
  const refused = (event.event === 'tcpip-forward' && code !== 'OK') || /rejected$/.test(String(type));
  if (refused) {
    const why = String(event.message ?? data ?? code);
    return { kind: 'failure', failure: new TunnelFailure(`localhost.run refused the tunnel: ${why}`) };
  }
  const accepted = type === 'v1.tcpip_forward.register.accepted' && typeof data === 'string';
  const text = accepted ? data : line;
  const host = event.event === 'tcpip-forward' ? String(address) : /(\S+) tunneled with tls/.exec(text)?.[1];
  return host ? urlIn(`https://${host}`, ['.lhr.life', '.lhrtunnel.link', '.localhost.run']) : null;
}

function readPinggy(line: string): Finding | null {
  const minutes = /tunnel will expire in (\d+) minutes/.exec(line)?.[1];
  if (minutes !== undefined) return { kind: 'expires', inMs: Number(minutes) * 60_000 };
  return urlIn(line, ['.pinggy.link', '.pinggy.online']);
}

/** The first https URL in a text whose host ends as it should; the port and the rest are dropped. */
function urlIn(text: string, suffixes: readonly string[]): Finding | null {
  for (const [candidate] of text.matchAll(/https:\/\/[^\s"',|<>]+/g)) {
    const url = URL.parse(candidate);
    if (url !== null && url.username === '' && suffixes.some((suffix) => url.hostname.endsWith(suffix))) {
      return { kind: 'url', url: `https://${url.hostname}` };
    }
  }
  return null;
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const PROGRAM = {
  program: 'ssh',
  howToGet: 'Install the OpenSSH client: "apt install openssh-client" (macOS has it).',
};

/**
 * Remote forwarding (`ssh -R`) to a service that gives out a URL, or to any SSH server. Own known hosts file: a
 * service's key must not end up among those the user trusts for other things.
 */
export const ssh: TunnelDriver<SshSettings> = {
  name: 'ssh',
  summary: 'ssh -R: localhost.run, pinggy, serveo, or your own server; nothing to install',
  needs: PROGRAM,
  silenceMs: null,
  async open(context) {
    const { settings, folder } = context;
    const service = serviceOf(settings);
    const host = hostOf(settings, service);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const debuggerPort = service.debuggerPort === null ? null : await freePort(context.clock);
    return openProgram(context, {
      ...PROGRAM,
      args: [
        ...options(folder, service),
        ...(settings.identityFile === undefined ? [] : ['-i', settings.identityFile]),
        ...['-p', String(settings.port ?? service.port)],
        ...(debuggerPort === null
          ? []
          : ['-L', `127.0.0.1:${debuggerPort}:localhost:${service.debuggerPort}`]),
        ...['-R', `${settings.remotePort ?? service.remotePort}:127.0.0.1:${context.ingressPort}`],
        ...(service.command.length === 0 ? [host] : [host, '--', ...service.command]),
      ],
      env: { ...programEnvironment(context.env, 'SSH_AGENT_PID'), ...emptyAnswers(service) },
      stable: service.url !== null,
      read: service.read,
      ...(debuggerPort === null
        ? {}
        : { ask: (signal) => askDebugger(context, debuggerPort, service, signal) }),
      explain: (lines) => explain(lines, knownHosts(folder)),
    });
  },
};

function options(folder: string, service: SshService): readonly string[] {
  const values = [
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile="${knownHosts(folder)}"`,
    'ExitOnForwardFailure=yes',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=3',
    'ConnectTimeout=20',
    // A shared connection would live on after our process, and take the forwarding with it.
    'ControlMaster=no',
    'ControlPath=none',
    `BatchMode=${service.asksForPassword ? 'no' : 'yes'}`,
  ];
  // -N: no shell at the user's server. -v: ssh reports the forwarding only then.
  const session = service.url === null ? [] : ['-N', '-v'];
  return ['-T', ...session, ...values.flatMap((value) => ['-o', value])];
}

/** Some services ask for a password and take any; there is no terminal, so `true` answers with an empty one. */
function emptyAnswers(service: SshService): Readonly<Record<string, string>> {
  return service.asksForPassword ? { SSH_ASKPASS: 'true', SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' } : {};
}

function askDebugger(
  { clock }: OpenContext,
  port: number,
  service: SshService,
  signal: AbortSignal,
): Promise<string> {
  return askUntil(`http://127.0.0.1:${port}/urls`, { clock, signal }, (text) => {
    const finding = service.read(text);
    return finding?.kind === 'url' ? finding.url : null;
  });
}

function serviceOf(settings: SshSettings): SshService {
  const { profile = 'localhost.run', url } = settings;
  if (profile !== 'sshd') return SSH_SERVICES[profile];
  if (settings.host !== undefined && url !== undefined) return SSH_SERVICES.sshd(url.replace(/\/+$/, ''));
  const fix =
    'Write { use: ssh, profile: sshd, host: me@server, remotePort: 8000, url: https://… } in webhooks.yml.';
  throw new TunnelFailure('your own SSH server needs host and url', { fix, final: true });
}

/** A host that begins with a dash would be read as an option. */
function hostOf(settings: SshSettings, service: SshService): string {
  const host = settings.host ?? service.host;
  if (/^[\w.+][\w.+:@%-]*$/.test(host)) return host;
  throw new TunnelFailure(`"${host}" is not an SSH host`, { fix: 'Write it as user@host.', final: true });
}

function knownHosts(folder: string): string {
  return join(folder, 'known_hosts');
}

function explain(lines: string, knownHostsFile: string): TunnelFailure | null {
  const failed = (message: string, fix: string) => new TunnelFailure(message, { fix, final: true });
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(lines)) {
    const fix = `Find out why; if it is right, delete ${knownHostsFile}.`;
    return failed('the SSH server has another key than last time, so it may be another server', fix);
  }
  if (/Permission denied/.test(lines)) {
    return failed('the SSH server does not let you in (permission denied)', 'Check host and identityFile.');
  }
  return null;
}
