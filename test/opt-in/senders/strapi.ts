import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installNpm, SQLITE } from './install.ts';
import { freePort, type SenderProgram, type Stage, TOKEN, until } from './kit.ts';

export const strapi: SenderProgram = {
  name: 'strapi',
  commands: [
    {
      trigger: 'entry.create',
      conditions: { uid: 'api::article.article' },
      template: 'Translate {{@event.title}}',
    },
    { trigger: 'entry.publish', template: 'Announce {{entry.title}}' },
  ],
  async run(stage) {
    await installNpm(stage.folder, { packages: ['@strapi/strapi@5.54.0', SQLITE], peers: true });
    const api = await startStrapi(stage);
    const { token } = (await api('/admin/register-admin', {
      ...{ firstname: 'Ada', lastname: 'Lovelace', email: 'ada@example.com' },
      password: 'A-password-of-this-run-1',
    })) as { readonly token: string };
    const as = { authorization: `Bearer ${token}` };
    const webhook = {
      ...{ name: 'hookctl', url: stage.url, events: ['entry.create', 'entry.publish'] },
      headers: { Authorization: `Bearer ${TOKEN}` },
    };
    await api('/admin/webhooks', webhook, as);
    const create = async (type: string, title: string) => {
      const path = `/content-manager/collection-types/api::${type}.${type}`;
      const made = (await api(path, { title }, as)) as { readonly documentId: string };
      return { id: `api::${type}.${type}#${made.documentId}`, path: `${path}/${made.documentId}` };
    };
    const article = await create('article', 'Summer');
    const note = await create('note', 'To buy');
    await api(`${article.path}/actions/publish`, { title: 'Summer' }, as);
    await stage.expect(
      [`entry.create ${article.id}`, `entry.create ${note.id}`, `entry.publish ${article.id}`],
      ['Translate Summer', 'Announce Summer'],
    );
  },
};

/** A project with two kinds of entries; returns its API, which answers with `data`. */
async function startStrapi(stage: Stage) {
  const port = await freePort();
  const type = (name: string) => ({
    ...{ kind: 'collectionType', collectionName: `${name}s`, options: { draftAndPublish: true } },
    info: { singularName: name, pluralName: `${name}s`, displayName: name },
    attributes: { title: { type: 'string' } },
  });
  const config = {
    server: { host: '127.0.0.1', port, app: { keys: ['a-key-of-this-run'] } },
    admin: {
      auth: { secret: 'a-secret-of-this-run' },
      apiToken: { salt: 'a-salt-of-this-run' },
      transfer: { token: { salt: 'a-salt-of-this-run' } },
      secrets: { encryptionKey: 'a-key-of-thirty-two-characters-1' },
      serveAdminPanel: false,
    },
    database: {
      connection: {
        client: 'sqlite',
        connection: { filename: join(stage.folder, 'data.db') },
        useNullAsDefault: true,
      },
    },
    middlewares: [
      ...['strapi::logger', 'strapi::errors', 'strapi::security', 'strapi::cors', 'strapi::poweredBy'],
      ...['strapi::query', 'strapi::body', 'strapi::session', 'strapi::favicon', 'strapi::public'],
    ],
  };
  for (const [name, content] of Object.entries(config)) {
    write(stage, `config/${name}.js`, `module.exports = ${JSON.stringify(content)};\n`);
  }
  for (const name of ['article', 'note']) {
    write(stage, `src/api/${name}/content-types/${name}/schema.json`, JSON.stringify(type(name)));
  }
  write(stage, 'src/index.js', 'module.exports = { register() {}, bootstrap() {} };\n');
  mkdirSync(join(stage.folder, 'public/uploads'), { recursive: true });
  const program = join(stage.folder, 'node_modules/@strapi/strapi/bin/strapi.js');
  const env = { ...process.env, NODE_ENV: 'development', STRAPI_TELEMETRY_DISABLED: 'true' };
  stage.start(process.execPath, [program, 'start'], { env });
  const base = `http://127.0.0.1:${port}`;
  await until('Strapi', async () => (await fetch(`${base}/_health`)).ok, 180_000);
  return async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return (JSON.parse(text) as { readonly data: unknown }).data;
  };
}

function write(stage: Stage, name: string, content: string): void {
  const file = join(stage.folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
