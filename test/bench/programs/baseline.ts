import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least that a receiver can do: read, verify, parse, 202. It stores nothing. */
const secret = process.argv[2] ?? '';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
    const given = Buffer.from(String(request.headers['x-hub-signature-256'] ?? ''));
    const fits = expected.length === given.length && timingSafeEqual(expected, given);
    if (fits) JSON.parse(body.toString('utf8'));
    response.writeHead(fits ? 202 : 401, { 'content-type': 'application/json' });
    response.end('{"id":"baseline"}');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
