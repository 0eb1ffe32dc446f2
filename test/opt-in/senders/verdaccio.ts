import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installNpm } from './install.ts';
import { freePort, runProgram, type SenderProgram, type Stage, TOKEN, until } from './kit.ts';

/** As the preset's set-up tells it. */
const CONTENT = '{"name":"{{name}}","type":"{{publishType}}","package":"{{publishedPackage}}"}';

export const verdaccio: SenderProgram = {
  name: 'verdaccio',
  commands: [
    { trigger: 'package.publish', conditions: { name: '@team/ui' }, template: 'Announce {{@event.title}}' },
    { trigger: 'package.unpublish', template: 'Look for users of {{package}}' },
  ],
  async run(stage) {
    await installNpm(stage.folder, {
      packages: ['verdaccio@6.10.4'],
      // A dependency asks for the tag `cjs`, which node-fetch no longer has.
      overrides: { 'node-fetch': '2.7.0' },
    });
    const npm = await startVerdaccio(stage);
    await npm('@team/ui', 'publish');
    await npm('@team/other', 'publish');
    await npm('@team/other', 'unpublish', '--force');
    // A package that is gone is named without a version.
    await stage.expect(
      ['package.publish @team/ui', 'package.publish @team/other', 'package.unpublish @team/other'],
      ['Announce @team/ui@1.0.0', 'Look for users of @team/other'],
    );
  },
};

/** Starts the registry and returns npm as one of its users. */
async function startVerdaccio(stage: Stage) {
  const config = {
    storage: join(stage.folder, 'storage'),
    auth: { htpasswd: { file: join(stage.folder, 'htpasswd'), max_users: 10 } },
    packages: { '**': { access: '$all', publish: '$authenticated', unpublish: '$authenticated' } },
    log: { type: 'stdout', level: 'error' },
    notify: {
      ...{ method: 'POST', endpoint: stage.url, content: CONTENT },
      headers: [{ Authorization: `Bearer ${TOKEN}` }],
    },
  };
  const file = join(stage.folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const registry = `http://127.0.0.1:${await freePort()}`;
  const program = join(stage.folder, 'node_modules/verdaccio/bin/verdaccio');
  stage.start(process.execPath, [program, '--config', file, '--listen', registry]);
  await until('Verdaccio', async () => (await fetch(`${registry}/-/ping`)).ok);
  const user = { name: 'ada', password: 'a-password-of-this-run' };
  const joined = await fetch(`${registry}/-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  assert.equal(joined.status, 201);
  const { token } = (await joined.json()) as { readonly token: string };
  const userconfig = join(stage.folder, 'npmrc');
  writeFileSync(userconfig, `registry=${registry}/\n${registry.slice(5)}/:_authToken=${token}\n`);
  return async (name: string, verb: string, ...options: readonly string[]) => {
    const cwd = join(stage.folder, 'packages', name);
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    await runProgram('npm', [verb, ...options, '--userconfig', userconfig, '--loglevel=error'], { cwd });
  };
}
