import { expect, test } from 'vitest';
import { connect } from '../../src/connect/operations.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type Fault, type LoopbackApi, startLoopback } from '../support/hook-apis/loopback.ts';
import { connectContext, order } from './support.ts';

const json = (message: string, more: object = {}) => JSON.stringify({ message, ...more });
const inSeconds = (seconds: number) => String(Math.floor(Date.now() / 1000) + seconds);

/** What the creation of a hook meets, and how it ends: one hook, or none with these words. */
const FAULTS: readonly (readonly [name: string, fault: Fault, end: 'made' | RegExp])[] = [
  ['429 without a time', { status: 429 }, /rate limit.*takes requests again at/],
  ['429 with seconds', { status: 429, headers: { 'retry-after': '1' } }, 'made'],
  ['429 with an hour', { status: 429, headers: { 'retry-after': '3600' } }, /takes requests again at/],
  [
    'the primary limit, for a second',
    { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(1) } },
    'made',
  ],
  [
    'the primary limit, for an hour',
    { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(3_600) } },
    /rate limit.*takes requests again at/,
  ],
  [
    'the secondary limit',
    { status: 403, body: json('You have exceeded a secondary rate limit') },
    /rate limit/,
  ],
  ['the secondary limit with a time', { status: 403, headers: { 'retry-after': '1' } }, 'made'],
  ['500', { status: 500 }, 'made'],
  ['500 that has done it', { status: 500, isDone: true }, 'made'],
  ['502 with a page', { status: 502, body: '<html>Bad Gateway</html>' }, 'made'],
  ['503', { status: 503 }, 'made'],
  ['504 that has done it', { status: 504, isDone: true }, 'made'],
  ['a reset before it was done', { cut: 'reset' }, 'made'],
  ['a reset after it was done', { cut: 'reset', isDone: true }, 'made'],
  ['half an answer', { cut: 'half', isDone: true }, 'made'],
  ['401', { status: 401, body: json('Bad credentials') }, /401.*settings\/tokens/],
  [
    '403 for a scope',
    { status: 403, body: json('Resource not accessible'), headers: { 'x-oauth-scopes': 'gist, read:user' } },
    /admin:repo_hook.*It has: gist, read:user.*settings\/tokens/,
  ],
  ['404', { status: 404, body: json('Not Found') }, /404.*admin:repo_hook/],
  [
    '422 for a URL',
    { status: 422, body: json('Validation Failed', { errors: [{ message: 'url is not supported' }] }) },
    /422.*url is not supported/,
  ],
  ['a redirect to another host', { status: 307, headers: { location: 'http://127.0.0.1:1/x' } }, /redirects/],
];

async function faulty() {
  const api = await startLoopback(githubApi);
  const context = await connectContext('github', api.url(), { patienceMs: 5_000 });
  return { api, context };
}

function own({ hooks }: LoopbackApi, marker: string) {
  return hooks.filter(({ url }) => url.endsWith(`?hookctl=${marker}`));
}

test.each(FAULTS)('GitHub answers %s: there is one hook, or none and no record', async (_, fault, end) => {
  const { api, context } = await faulty();
  const marker = context.store.installationId();
  api.failNext(fault, ({ method }) => method === 'POST');
  const made = connect(context, order('github', 'acme/api'));
  if (end === 'made') {
    const { connection } = await made;
    expect(own(api, marker)).toMatchObject([{ id: connection?.remoteId, secret: 'a' }]);
    return;
  }
  const error = await made.catch((thrown: unknown) => thrown);
  expect(error).toHaveProperty('fix');
  const { message, fix } = error as { message: string; fix: string | null };
  expect(`${message} ${fix}`).toMatch(end);
  expect([own(api, marker), context.store.connections()]).toEqual([[], []]);
});

test('a repository that was renamed: its redirects on the same host are followed', async () => {
  const { api, context } = await faulty();
  const location = `${api.url()}/repos/acme/new/hooks`;
  api.failNext({ status: 301, headers: { location } }, ({ method }) => method === 'GET');
  api.failNext({ status: 307, headers: { location } }, ({ method }) => method === 'POST');
  await connect(context, order('github', 'acme/api'));
  expect(own(api, context.store.installationId())).toMatchObject([{ place: '/repos/acme/new' }]);
});
