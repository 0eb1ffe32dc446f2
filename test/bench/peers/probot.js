import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createNodeMiddleware, createProbot } from 'probot';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const overrides = { appId: 1, privateKey, secret: process.argv[2], logLevel: 'fatal' };
const middleware = await createNodeMiddleware(() => undefined, { probot: createProbot({ overrides }) });
const server = createServer((request, response) => middleware(request, response));
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
