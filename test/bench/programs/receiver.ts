import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes what is posted and forgets it; `GET` tells how many came from the first to the last, and starts anew. */
let count = 0;
let first = 0;
let last = 0;

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ count, seconds: (last - first) / 1_000 }));
    count = 0;
    return;
  }
  if (count === 0) first = performance.now();
  request.resume().on('end', () => {
    count += 1;
    last = performance.now();
    response.writeHead(202).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
