import { z } from 'zod';
import { byteSize } from '../../lib/units.ts';

const USES = ['bwrap', 'docker', 'podman'] as const;

const host = z
  .string()
  .regex(
    /^(?:\*\.)?[A-Za-z0-9.-]+(?::\d{1,5})?$/,
    'expected a host such as api.anthropic.com, *.github.com or 10.0.0.5:8080',
  );

const mount = z.union([
  z
    .string()
    .startsWith('/', 'expected an absolute path')
    .transform((path) => ({ path, write: false })),
  z.strictObject({
    path: z.string().startsWith('/', 'expected an absolute path'),
    write: z.boolean().default(false),
  }),
]);

const fields = z.strictObject({
  use: z
    .enum(USES)
    .describe('bwrap (bubblewrap) needs no daemon and no image; docker and podman need an image with node.'),
  image: z.string().min(1).describe('Image of docker or podman, with node and the agent in it.').optional(),
  network: z
    .enum(['none', 'proxy'])
    .default('none')
    .describe('none: no way out but hookctl’s own tools; proxy: the listed hosts alone.'),
  hosts: z
    .array(host)
    .default([])
    .describe('Hosts that network: proxy lets through, on ports 80 and 443 unless named.'),
  credentials: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+$/, 'expected a host such as github.com'))
    .default([])
    .describe('Hosts for which git inside may ask for your credentials (git credential fill).'),
  mounts: z
    .array(mount)
    .default([])
    .describe('Further paths of this machine that it sees: /path, or { path, write: true }.'),
  memory: byteSize.prefault('8GB').describe('Most memory of all its processes; beyond it the run is ended.'),
  processes: z
    .int()
    .min(8)
    .max(100_000)
    .default(1_000)
    .describe('Most processes; beyond it the run is ended.'),
});

/** `sandbox:` of an agent: a name alone means `{ use: name }`. */
export const sandboxSchema = z.union([z.enum(USES).transform((use) => fields.parse({ use })), fields], {
  error: 'expected bwrap, docker or podman, or { use, image, network, hosts, … }',
});

/** Ports of this machine's loopback that are listed, such as that of a local model: they are the same ports inside. */
export function loopbackPorts({
  network,
  hosts,
}: Pick<SandboxSettings, 'network' | 'hosts'>): readonly number[] {
  const ports = hosts.map((each) => Number(/^(?:127\.0\.0\.1|localhost):(\d+)$/.exec(each)?.[1] ?? 0));
  return network === 'proxy' ? [...new Set(ports.filter((port) => port > 0))] : [];
}

export type SandboxSettings = z.output<typeof sandboxSchema>;
