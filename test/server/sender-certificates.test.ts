import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { certificatesIn, trustProblem } from '../../src/providers/scheme/certificates.ts';
import { type Issued, issue } from '../support/certificates.ts';
import { openDoor } from '../support/door.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const NAME = 'sns.example.com';
const DAY_MS = 86_400_000;
const OWN = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const ROOT = issue({ name: 'Test Root', isAuthority: true });
const BETWEEN = issue({ name: 'Test Issuer 1', by: ROOT, isAuthority: true });
const usual = getCACertificates();
beforeAll(() => setDefaultCACertificates([...usual, ROOT.pem]));
afterAll(() => setDefaultCACertificates(usual));

function own(change: Partial<Parameters<typeof issue>[0]> = {}): Issued {
  return issue({ name: NAME, key: OWN, by: BETWEEN, ...change });
}

/** A host that serves documents by their path, and counts. */
async function hostOf(documents: Readonly<Record<string, string | Buffer>>) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push(path);
    const document = documents[path];
    response.writeHead(document === undefined ? 404 : 200).end(document);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** The first answer other than "the key is being fetched", and why. */
async function answerTo(host: string, options: object = {}) {
  const webhook = {
    ...{ webhook_id: 'wh-topic', name: 'topic', provider: 'generic', endpoint: '/webhooks/generic/wh-topic' },
    secret: 'arn:topic',
    options: {
      ...{ scheme: 'rsa', header: 'x-signature', signedContent: '{secret}{body}' },
      ...{ keys: 'header:x-cert-url', keyHosts: [new URL(host).host], keyNames: NAME, ...options },
    },
    commands: [{ id: 'cmd-look', trigger: '*', template: 'Look at it' }],
    ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
  };
  const engine = await startEngine({ db: JSON.stringify({ schema_version: 1, webhooks: [webhook] }) });
  const url = await openDoor(engine);
  const body = '{"a":1}';
  const headers = {
    'content-type': 'application/json',
    'x-cert-url': `${host}/certificate.pem`,
    'x-signature': sign('sha256', Buffer.from(`arn:topic${body}`), OWN).toString('base64'),
  };
  return eventually('the certificate', async () => {
    const { status } = await fetch(`${url}/webhooks/generic/wh-topic`, { method: 'POST', headers, body });
    if (status !== 503) return { status, reason: null };
    const [row] = engine.context.store.deliveries({ limit: 1 });
    const reason = row?.reason ?? null;
    return reason?.startsWith('the key is being fetched') === true ? null : { status, reason };
  });
}

test('certificates: one whose issuers are in the document and lead to a root counts', async () => {
  const { url, seen } = await hostOf({ '/certificate.pem': own().pem + BETWEEN.pem });
  expect(await answerTo(url)).toMatchObject({ status: 202 });
  expect(seen).toEqual(['/certificate.pem']);
});

test('certificates: a missing issuer is fetched from where the certificate says, at an allowed host alone', async () => {
  const issuers = await hostOf({ '/issuer.cer': BETWEEN.der });
  const lonely = own({ issuerAt: `${issuers.url}/issuer.cer` }).pem;
  const { url } = await hostOf({ '/certificate.pem': lonely });
  const { host } = new URL(issuers.url);
  expect(await answerTo(url)).toEqual({
    status: 503,
    reason: `no key from ${new URL(url).host} yet: the certificate of Test Issuer 1: ${host} is no host of keyHosts`,
  });
  expect(issuers.seen).toEqual([]);
  const other = await hostOf({ '/certificate.pem': lonely });
  expect(await answerTo(other.url, { keyHosts: [new URL(other.url).host, host] })).toMatchObject({
    status: 202,
  });
  expect(issuers.seen).toEqual(['/issuer.cer']);
});

const stranger = issue({ name: 'Test Issuer 1', isAuthority: true });
test.each([
  ['of another name', own({ name: 'evil.example.com' }).pem + BETWEEN.pem, `is not that of ${NAME}`],
  ['that has expired', own({ to: Date.now() - DAY_MS / 2 }).pem + BETWEEN.pem, 'is not valid now'],
  [
    'by an issuer that only has the name',
    own({ by: stranger }).pem + BETWEEN.pem,
    'that of Test Issuer 1 is missing',
  ],
  [
    'by an unknown root',
    own({ by: stranger }).pem + stranger.pem,
    'leads to Test Issuer 1, which is no trusted root',
  ],
  ['of its own', issue({ name: NAME, isAuthority: true }).pem, `leads to ${NAME}, which is no trusted root`],
  [
    'by an issuer that has expired',
    ((by) => own({ by }).pem + by.pem)(
      issue({ name: 'Old', by: ROOT, isAuthority: true, to: Date.now() - DAY_MS / 2 }),
    ),
    'that of Old is missing',
  ],
  [
    'by one that is no authority',
    ((by) => own({ by }).pem + by.pem + BETWEEN.pem)(issue({ name: 'leaf.example.com', by: BETWEEN })),
    'that of leaf.example.com is missing',
  ],
  [
    'that is a key',
    generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }) as string,
    'is no certificate',
  ],
])('certificates: one %s is not believed', async (_, document, reason) => {
  const fetchIssuer = () => Promise.resolve('not asked for');
  expect(await trustProblem(certificatesIn(document), [NAME], fetchIssuer)).toContain(reason);
});

test('certificates: without keyNames the host is believed, as long as the certificate is valid', async () => {
  const { url } = await hostOf({ '/certificate.pem': own({ by: stranger }).pem });
  expect(await answerTo(url, { keyNames: undefined })).toMatchObject({ status: 202 });
  const old = await hostOf({ '/certificate.pem': own({ to: Date.now() - DAY_MS / 2 }).pem });
  expect(await answerTo(old.url, { keyNames: undefined })).toMatchObject({ status: 503 });
});
