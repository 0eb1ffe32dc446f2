import { z } from 'zod';
import { SSH_PROFILES, type TunnelSettings } from '../../tunnels/settings.ts';
import { variableName } from '../schema.ts';

const url = z.url({ protocol: /^https?$/, error: 'expected a URL that starts with https:// or http://' });
const port = z.int().min(1).max(65_535);

const cloudflared = z
  .strictObject({ use: z.literal('cloudflared'), tokenEnv: variableName.optional(), url: url.optional() })
  .refine(({ tokenEnv, url: named }) => (tokenEnv === undefined) === (named === undefined), {
    error: 'a named tunnel needs both tokenEnv and url',
  });

const ssh = z
  .strictObject({
    use: z.literal('ssh'),
    profile: z.enum(SSH_PROFILES).optional(),
    host: z
      .string()
      // What begins with a dash would be an option to ssh.
      .regex(/^[\w.+][\w.+:@%-]*$/, 'expected user@host')
      .optional(),
    port: port.optional(),
    remotePort: port.optional(),
    url: url.optional(),
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
  url,
  path: z.string().startsWith('/webhooks/', 'expected an endpoint, such as /webhooks/github').optional(),
});

const ngrok = z.strictObject({
  use: z.literal('ngrok'),
  domain: z.string().min(1).optional(),
  apiUrl: url.optional(),
  authtokenEnv: variableName.optional(),
});

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
 * `tunnel:` of webhooks.yml: a name, or settings told apart by `use`. The bare name `none` becomes null: there is no
 * tunnel to open, and none to probe. Settings stand first, because the faults of an object are looked for in order.
 */
export const tunnelSchema = z.union([byUse, byName]).transform((value) => value as TunnelSettings | null);
