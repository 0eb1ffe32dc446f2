import { z } from 'zod';
import { usageError } from '../errors.ts';
import { suggest } from '../lib/suggest.ts';
import { variableName } from '../lib/units.ts';

const url = z.url({ protocol: /^https?$/, error: 'expected a URL that starts with https:// or http://' });
const tcpPort = z.int().min(1).max(65_535);

/** A quick tunnel without an account; with a token, a named tunnel whose hostname was set up at Cloudflare. */
const cloudflared = z
  .strictObject({
    use: z.literal('cloudflared'),
    /** Variable that holds the token of a named tunnel. */
    tokenEnv: variableName.optional(),
    /** Public URL of the named tunnel. */
    url: url.optional(),
  })
  .refine(({ tokenEnv, url: named }) => (tokenEnv === undefined) === (named === undefined), {
    error: 'a named tunnel needs both tokenEnv and url',
  });

/** `sshd`: the user's own SSH server. */
const SSH_PROFILES = ['localhost.run', 'pinggy', 'serveo', 'sshd'] as const;

const ssh = z
  .strictObject({
    use: z.literal('ssh'),
    /** Default `localhost.run`. */
    profile: z.enum(SSH_PROFILES).optional(),
    /** `[user@]host`; default the profile's. What begins with a dash would be an option to ssh. */
    host: z
      .string()
      .regex(/^[\w.+][\w.+:@%-]*$/, 'expected user@host')
      .optional(),
    /** TCP port of the SSH server; default the profile's. */
    port: tcpPort.optional(),
    /** Port to listen on at the server; default 8000. */
    remotePort: tcpPort.optional(),
    /** Public URL that leads to that port. */
    url: url.optional(),
    /** Private key file; default: what ssh itself takes. */
    identityFile: z.string().min(1).optional(),
  })
  .refine(({ profile, host, url: own }) => profile !== 'sshd' || (host !== undefined && own !== undefined), {
    error: 'profile sshd needs host and url',
  })
  .refine(({ profile, url: own, remotePort }) => profile === 'sshd' || (own ?? remotePort) === undefined, {
    error: 'url and remotePort belong to profile sshd; the other services give out their own',
  });

const smee = z.strictObject({
  use: z.literal('smee'),
  /** URL of the channel, at smee.io, the user's own smee or a gosmee server. */
  url,
  /** A channel is one URL, so it leads to one endpoint; default `/webhooks/github`. */
  path: z.string().startsWith('/webhooks/', 'expected an endpoint, such as /webhooks/github').optional(),
});

const ngrok = z.strictObject({
  use: z.literal('ngrok'),
  /** Reserved domain, such as `my-name.ngrok-free.app`. */
  domain: z.string().min(1).optional(),
  /** Where a running agent answers; default `http://127.0.0.1:4040`. */
  apiUrl: url.optional(),
  /** Variable that holds the token; default: the one in ngrok's own configuration. */
  authtokenEnv: variableName.optional(),
});

/** `publicUrl`: URL of the tunnel or proxy that another program keeps up. */
const none = z.strictObject({ use: z.literal('none'), publicUrl: url });

const byUse = z.discriminatedUnion('use', [cloudflared, ssh, smee, ngrok, none], {
  error: 'expected cloudflared, ssh, smee, ngrok or none',
});

const byName = z
  .enum(['cloudflared', 'ssh', 'ngrok', 'none'], {
    error: 'expected cloudflared, ssh, ngrok or none; smee needs { use: smee, url: … }',
  })
  .transform((use) => (use === 'none' ? null : { use }));

/**
 * `tunnel:` of webhooks.yml: a name, or settings told apart by `use`. The bare name `none` becomes null, because there is no
 * tunnel to open, and none to probe. Settings come first, because the issues of an object are looked for in order.
 */
export const tunnelSchema = z.union([byUse, byName]);

export type TunnelSettings = Readonly<z.output<typeof byUse>>;
export type TunnelName = TunnelSettings['use'];
type SettingsOf<Use extends TunnelName> = Extract<TunnelSettings, { readonly use: Use }>;
export type CloudflaredSettings = SettingsOf<'cloudflared'>;
export type SshSettings = SettingsOf<'ssh'>;
export type SmeeSettings = SettingsOf<'smee'>;
export type NgrokSettings = SettingsOf<'ngrok'>;
export type NoneSettings = SettingsOf<'none'>;
export type SshProfileName = (typeof SSH_PROFILES)[number];

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
