import { usageError } from '../errors.ts';
import { suggest } from '../lib/suggest.ts';

/** Quick tunnel without an account; with a token, a named tunnel whose hostname was set up at Cloudflare. */
export interface CloudflaredSettings {
  readonly use: 'cloudflared';
  /** Variable that holds the token of a named tunnel. */
  readonly tokenEnv?: string;
  /** Public URL of the named tunnel; needed with `tokenEnv`. */
  readonly url?: string;
}

export const SSH_PROFILES = ['localhost.run', 'pinggy', 'serveo', 'sshd'] as const;
/** `sshd`: the user's own SSH server. */
export type SshProfileName = (typeof SSH_PROFILES)[number];

export interface SshSettings {
  readonly use: 'ssh';
  /** Default `localhost.run`. */
  readonly profile?: SshProfileName;
  /** `[user@]host`; default the profile's, needed for `sshd`. */
  readonly host?: string;
  /** TCP port of the SSH server; default the profile's. */
  readonly port?: number;
  /** Port to listen on at the server (`sshd` only); default 8000. */
  readonly remotePort?: number;
  /** Public URL that leads to that port; needed for `sshd`. */
  readonly url?: string;
  /** Private key file; default: what ssh itself takes. */
  readonly identityFile?: string;
}

export interface SmeeSettings {
  readonly use: 'smee';
  /** URL of the channel, at smee.io, an own smee or a gosmee server. */
  readonly url: string;
  /** A channel is one URL, so it leads to one endpoint; default `/webhooks/github`. */
  readonly path?: string;
}

export interface NgrokSettings {
  readonly use: 'ngrok';
  /** Reserved domain, e.g. `my-name.ngrok-free.app`. */
  readonly domain?: string;
  /** Where a running agent answers; default `http://127.0.0.1:4040`. */
  readonly apiUrl?: string;
  /** Variable that holds the token; default: the one in ngrok's own configuration. */
  readonly authtokenEnv?: string;
}

export interface NoneSettings {
  readonly use: 'none';
  /** URL of the tunnel or proxy that somebody else keeps up. */
  readonly publicUrl: string;
}

/** `tunnel:` of `webhooks.yml`, told apart by `use`. */
export type TunnelSettings = CloudflaredSettings | SshSettings | SmeeSettings | NgrokSettings | NoneSettings;
export type TunnelName = TunnelSettings['use'];

const EXAMPLES =
  'Use cloudflared, ssh, ssh=pinggy, ssh=serveo, smee=<channel url>, ngrok, ngrok=<domain> or none=<public url>.';

/** Reads `--tunnel`: `cloudflared`, `ssh=pinggy`, `smee=https://smee.io/abc`, … Throws a usage error. */
export function parseTunnelFlag(flag: string): TunnelSettings {
  const [use, value] = splitOnce(flag);
  switch (use) {
    case 'cloudflared':
      if (value !== null)
        throw usageError(`--tunnel cloudflared takes no value, but got "${value}"`, EXAMPLES);
      return { use };
    case 'ssh':
      return value === null ? { use } : { use, profile: sshProfile(value) };
    case 'smee':
      if (value === null) {
        throw usageError('--tunnel smee needs a channel', 'Make one with "hookctl tunnel new smee".');
      }
      return { use, url: httpUrl(value) };
    case 'ngrok':
      return value === null ? { use } : { use, domain: value };
    case 'none':
      if (value === null) throw usageError('--tunnel none needs the public URL', 'Use none=https://….');
      return { use, publicUrl: httpUrl(value) };
    default: {
      const near = suggest(use, ['cloudflared', 'ssh', 'smee', 'ngrok', 'none'] satisfies TunnelName[]);
      throw usageError(
        `there is no tunnel "${use}"`,
        near === null ? EXAMPLES : `Did you mean ${near}? ${EXAMPLES}`,
      );
    }
  }
}

function splitOnce(flag: string): readonly [string, string | null] {
  const at = flag.indexOf('=');
  return at === -1 ? [flag, null] : [flag.slice(0, at), flag.slice(at + 1)];
}

function sshProfile(name: string): SshProfileName {
  const profile = SSH_PROFILES.find((known) => known === name && known !== 'sshd');
  if (profile !== undefined) return profile;
  const near = suggest(name, SSH_PROFILES);
  throw usageError(
    `there is no ssh profile "${name}"`,
    near !== null && near !== 'sshd'
      ? `Did you mean ${near}?`
      : 'Use localhost.run, pinggy or serveo; your own server goes into webhooks.yml as { use: ssh, profile: sshd, host, url }.',
  );
}

function httpUrl(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text.replace(/\/+$/, '');
  throw usageError(`"${text}" is not an http or https URL`, EXAMPLES);
}
