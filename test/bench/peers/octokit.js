import { createServer } from 'node:http';
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks';

const server = createServer(createNodeMiddleware(new Webhooks({ secret: process.argv[2] })));
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
