import type { SshProfileName } from '../settings.ts';
import { TunnelFailure } from '../tunnel.ts';
import type { Finding } from '../program.ts';

/** How one SSH server wants to be asked, and how it tells the URL. */
export interface SshService {
  readonly host: string;
  readonly port: number;
  /** What to ask for in `-R`. */
  readonly remotePort: number;
  /** Sent as the remote command; empty: none. */
  readonly command: readonly string[];
  /** It asks for a password and takes an empty one, which BatchMode would refuse to give. */
  readonly asksForPassword: boolean;
  /** Remote port of a web API that tells the URLs; null: there is none. */
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
