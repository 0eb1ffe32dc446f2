import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, unpackDebian } from './install.ts';
import { freePort, type SenderProgram, type Stage, TOKEN, until } from './kit.ts';

export const registry: SenderProgram = {
  name: 'registry',
  commands: [
    {
      trigger: 'push',
      conditions: { 'target.tag': '1.0' },
      template: 'Scan {{target.repository}}:{{target.tag}}',
    },
  ],
  async run(stage) {
    const root = await unpackDebian(stage.folder, ['docker-registry']);
    const address = await startRegistry(stage, programIn(root, 'usr/bin/docker-registry'));
    await pushImage(address, 'team/app', '1.0');
    await pushImage(address, 'team/app', 'nightly');
    // Each push is two events: the configuration, which no tag names, and the manifest.
    const blob = `blob.push team/app@${DIGEST}`;
    await stage.expect(
      [blob, 'push team/app:1.0', blob, 'push team/app:nightly'],
      ['Scan team/app:1.0'],
      `registry:${new URL(address).host}/`,
    );
  },
};

const BLOB = Buffer.from('{}');
const DIGEST = `sha256:${createHash('sha256').update(BLOB).digest('hex')}`;

async function startRegistry(stage: Stage, program: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const config = [
    'version: 0.1',
    `storage: { filesystem: { rootdirectory: ${join(stage.folder, 'images')} } }`,
    `http: { addr: "${address}" }`,
    'notifications:',
    '  endpoints:',
    '    - name: hookctl',
    `      url: ${stage.url}`,
    `      headers: { Authorization: [Bearer ${TOKEN}] }`,
    '      timeout: 5s',
    '      threshold: 3',
    '      backoff: 1s',
  ];
  const file = join(stage.folder, 'registry.yml');
  writeFileSync(file, `${config.join('\n')}\n`);
  stage.start(program, ['serve', file]);
  await until('the registry', async () => (await fetch(`http://${address}/v2/`)).ok);
  return `http://${address}`;
}

/** A manifest with an empty configuration, as `docker push` would send it. */
async function pushImage(address: string, repository: string, tag: string): Promise<void> {
  const begun = await fetch(`${address}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const upload = new URL(begun.headers.get('location') ?? '', address);
  upload.searchParams.set('digest', DIGEST);
  const stored = await fetch(upload, {
    method: 'PUT',
    body: BLOB,
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.equal(stored.status, 201);
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const config = {
    mediaType: 'application/vnd.docker.container.image.v1+json',
    size: BLOB.length,
    digest: DIGEST,
  };
  const manifest = await fetch(`${address}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }),
  });
  assert.equal(manifest.status, 201, await manifest.text());
}
