import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readProject } from '../../src/config/project/schema.ts';
import { formatDiagnostic } from '../../src/errors.ts';

async function read(tunnel: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hookctl-tunnel-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'webhooks.yml');
  await writeFile(file, `ingress: { port: 8000 }\ntunnel: ${tunnel}\n`);
  const { project, problems } = await readProject(file);
  const said = problems.map((problem) => formatDiagnostic({ ...problem, file: 'webhooks.yml' }));
  return { tunnel: project.tunnel, said: said.join('\n') };
}

test.each([
  ['cloudflared', { use: 'cloudflared' }],
  ['none', null],
  ['{ use: ssh, profile: pinggy }', { use: 'ssh', profile: 'pinggy' }],
  [
    '{ use: smee, url: https://smee.io/abc, path: /webhooks/jira }',
    { use: 'smee', url: 'https://smee.io/abc', path: '/webhooks/jira' },
  ],
  ['{ use: none, publicUrl: https://hooks.test }', { use: 'none', publicUrl: 'https://hooks.test' }],
])('tunnel: %s', async (written, settings) => {
  expect(await read(written)).toEqual({ tunnel: settings, said: '' });
});

test.each([
  ['cloudflard', '2:9 tunnel: expected cloudflared, ssh, ngrok or none; smee needs { use: smee, url: … }'],
  ['smee', '2:9 tunnel: expected cloudflared, ssh, ngrok or none; smee needs { use: smee, url: … }'],
  ['{ use: tailscale }', '2:16 tunnel.use: expected cloudflared, ssh, smee, ngrok or none'],
  ['{ use: smee }', '2:1 tunnel.url: expected a URL that starts with https:// or http://'],
  ['{ use: smee, url: ftp://x }', '2:27 tunnel.url: expected a URL that starts with https:// or http://'],
  ['{ use: ssh, profil: pinggy }', '2:21 tunnel.profil: unknown field\n  Did you mean profile?'],
  ['{ use: ssh, host: "-oProxyCommand=x" }', '2:27 tunnel.host: expected user@host'],
  ['{ use: ssh, profile: sshd }', '2:9 tunnel: profile sshd needs host and url'],
  ['{ use: ssh, url: https://x.test }', '2:9 tunnel: url and remotePort belong to profile sshd'],
  ['{ use: cloudflared, tokenEnv: TOKEN }', '2:9 tunnel: a named tunnel needs both tokenEnv and url'],
])('tunnel: %s is refused with file, line and field', async (written, message) => {
  expect((await read(written)).said).toContain(`webhooks.yml:${message}`);
});
