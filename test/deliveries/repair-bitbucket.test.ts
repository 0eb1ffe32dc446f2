import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import type { JsonObject, JsonValue } from '../../src/types.ts';
import { startEngine } from '../support/engine.ts';
import { providerNamed } from '../support/providers.ts';

const OWN = '{2dac5e4f-0000-4000-8000-000000000001}';
const SHA = 'a'.repeat(40);

interface Pull {
  readonly hash?: string;
  readonly from?: string;
}

/** Bitbucket's API as far as repairs ask it; ends with the test. Returns its address. */
async function bitbucketFor({ hash = SHA.slice(0, 12), from = OWN }: Pull): Promise<string> {
  const pull = {
    ...{ id: 7, state: 'OPEN' },
    source: { branch: { name: 'hookctl/login' }, commit: { hash }, repository: { uuid: from } },
    destination: { branch: { name: 'main' }, repository: { uuid: OWN } },
  };
  const repository = '/2.0/repositories/acme/web';
  const steps = [
    { uuid: '{s1}', name: 'Lint', state: { result: { name: 'SUCCESSFUL' } } },
    { uuid: '{s2}', name: 'Test', state: { result: { name: 'FAILED' } } },
  ];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const answers: Readonly<Record<string, JsonValue>> = {
      [`${repository}/pullrequests?q=state = "OPEN" AND source.branch.name = "hookctl/login"`]: {
        values: [pull],
      },
      [`${repository}/commit/${SHA}/pullrequests`]: { values: [pull] },
      [`${repository}/pipelines/12/steps/`]: { values: steps },
    };
    if (path === `${repository}/pipelines/12/steps/{s2}/log`)
      return response.writeHead(200).end('+ npm test\nError: expected 2 to be 3\n');
    const found = answers[path];
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => closeServer(server));
  return `http://127.0.0.1:${port}`;
}

/** Tells hookctl of a failed build; its repairs, and why there is none. */
async function failed(pull: Pull, refname: string | null) {
  const webhook = {
    ...{ webhook_id: 'wh-1', provider: 'bitbucket', name: 'bb', endpoint: '/webhooks/bitbucket/wh-1' },
    ...{ secret: 'secret', repair: { checks: ['Pipeline*'] }, commands: [{ id: 'cmd-1', name: 'analyze' }] },
    ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
  };
  const engine = await startEngine({
    db: JSON.stringify({ schema_version: 1, webhooks: [webhook] }),
    yaml: `credentials: { bitbucket: { baseUrl: '${await bitbucketFor(pull)}' } }`,
    env: { BITBUCKET_TOKEN: 'token-of-bitbucket' },
  });
  const { context, queue } = engine;
  const payload: JsonObject = {
    repository: {
      ...{ uuid: OWN, full_name: 'acme/web', name: 'web', mainbranch: { name: 'main' } },
      links: { html: { href: 'https://bitbucket.org/acme/web' } },
    },
    actor: { uuid: '{u}', account_id: 'u', display_name: 'Pipelines' },
    commit_status: {
      ...{
        key: '-123',
        name: 'Pipeline #12 for hookctl/login',
        state: 'FAILED',
        refname,
        commit: { hash: SHA },
      },
      url: 'https://bitbucket.org/acme/web/addon/pipelines/home#!/results/12',
    },
  };
  const provider = providerNamed('bitbucket');
  const used = context.snapshot().byName.get('bb');
  const secret = used?.secrets[0]?.value;
  if (provider === null || used === undefined || secret === undefined) throw new Error('no webhook');
  const signing = { type: 'repo:commit_status_created', secret, deliveryId: randomUUID(), now: new Date() };
  const request = provider.sign(Buffer.from(JSON.stringify(payload)), signing);
  const { deliveryId: id, externalId } = await receive(context, used, { ...request, query: '' });
  const settled = await queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
  return { settled, repairs: context.store.repairs({}), task: context.store.tasks()[0] };
}

test.each(['hookctl/login', null])(
  'repairs: a red build of Bitbucket with the branch %s is repaired in its pull request',
  async (refname) => {
    const { task, repairs } = await failed({}, refname);
    expect(task?.externalId).toBe('bitbucket:acme/web!7');
    expect(task?.prompt).toContain('Error: expected 2 to be 3');
    expect(repairs).toMatchObject([{ kind: 'repair', sha: SHA }]);
  },
);

test.each<readonly [string, Pull]>([
  ['of a fork', { from: '{other}' }],
  ['whose head has moved on', { hash: 'bbbbbbbbbbbb' }],
])('repairs: a red build of Bitbucket in a pull request %s is not repaired', async (_, pull) => {
  expect((await failed(pull, 'hookctl/login')).repairs).toEqual([]);
});
