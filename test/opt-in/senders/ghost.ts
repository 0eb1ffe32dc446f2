import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmInstall, orUnavailable, SQLITE, WITHOUT_PEERS } from './install.ts';
import { freePort, runProgram, type SenderProgram, type Stage, TOKEN, until } from './kit.ts';

const VERSION = '6.65.0';

export const ghost: SenderProgram = {
  name: 'ghost',
  commands: [
    {
      trigger: 'post.published',
      conditions: { 'post.current.visibility': 'public' },
      template: 'Tell others of {{@event.title}}',
    },
    { trigger: 'member.added', template: 'Welcome {{member.current.email}}' },
  ],
  async run(stage) {
    const api = await startGhost(stage, await installGhost(stage));
    const { id: integration } = await api('integrations', { name: 'hookctl' });
    for (const event of ['post.published', 'member.added']) {
      await api('webhooks', {
        ...{ event, name: event, target_url: stage.url, secret: TOKEN },
        integration_id: integration,
      });
    }
    const post = await api('posts', { title: 'Summer', status: 'published', visibility: 'public' });
    const closed = await api('posts', { title: 'For members', status: 'published', visibility: 'members' });
    const member = await api('members', { email: 'grace@example.com', name: 'Grace' });
    await stage.expect(
      [`post.published ${post.id}`, `post.published ${closed.id}`, `member.added ${member.id}`],
      ['Tell others of Summer', 'Welcome grace@example.com'],
    );
  },
};

/** Its dependencies are files of its own package, so that it is no dependency itself. */
async function installGhost(stage: Stage): Promise<string> {
  await orUnavailable(
    'npm has no Ghost',
    runProgram('npm', ['pack', `ghost@${VERSION}`, '--loglevel=error'], { cwd: stage.folder }),
  );
  await runProgram('tar', ['xzf', `ghost-${VERSION}.tgz`], { cwd: stage.folder });
  const folder = join(stage.folder, 'package');
  await npmInstall(folder, '--omit=dev', WITHOUT_PEERS, SQLITE);
  return folder;
}

/** A set-up Ghost; returns its Admin API, which makes one thing of a kind. In production it would post to public addresses only. */
async function startGhost(stage: Stage, folder: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = {
    url,
    server: { host: '127.0.0.1', port },
    database: { client: 'better-sqlite3', connection: { filename: join(stage.folder, 'ghost.db') } },
    mail: { transport: 'stub' },
    logging: { transports: ['file'], path: stage.folder, level: 'error' },
    paths: { contentPath: join(folder, 'content') },
    privacy: { useUpdateCheck: false, useGravatar: false, useRpcPing: false },
    security: { staffDeviceVerification: false },
  };
  writeFileSync(join(folder, 'config.development.json'), JSON.stringify(config));
  const env = { ...process.env, NODE_ENV: 'development' };
  stage.start(process.execPath, [join(folder, 'index.js')], { cwd: folder, env });
  const admin = `${url}/ghost/api/admin`;
  await until('Ghost', async () => (await fetch(`${admin}/site/`)).ok, 180_000);
  const ada = { username: 'ada@example.com', password: 'seven-herons-of-this-run' };
  const post = async (path: string, body: object, cookie = '') => {
    const response = await fetch(`${admin}/${path}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, cookie },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${response.ok ? '' : await response.text()}`);
    return response;
  };
  const owner = { name: 'Ada', email: ada.username, password: ada.password, blogTitle: 'Notes' };
  await post('authentication/setup', { setup: [owner] });
  const session = await post('session', ada);
  const [cookie = ''] = (session.headers.get('set-cookie') ?? '').split(';');
  return async (kind: string, thing: object) => {
    const response = await post(kind, { [kind]: [thing] }, cookie);
    const made = (await response.json()) as Readonly<Record<string, readonly { readonly id: string }[]>>;
    const [first] = made[kind] ?? [];
    assert.ok(first !== undefined, `${kind}: nothing was made`);
    return first;
  };
}
