import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/lib/http-server.ts';
import { receive } from '../../src/pipeline/receive.ts';
import { createIngress } from '../../src/server/ingress.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { SECRET } from '../support/secret.ts';

const MB = 1024 * 1024;
const padded = (mb: number) => JSON.stringify({ ...comment('hello'), pad: 'x'.repeat(mb * MB) });

test('F15: large bodies are parsed and stored one at a time, small ones go past them', async () => {
  const { context } = await startEngine({ env: { GITHUB_WEBHOOK_SECRET: SECRET } });
  const begun: number[] = [];
  let most = 0;
  let inside = 0;
  const gate = Promise.withResolvers<void>();
  const server = createIngress({
    snapshot: context.snapshot,
    async receive(webhook, request) {
      const isLarge = request.body.byteLength > MB;
      begun.push(request.body.byteLength);
      inside += isLarge ? 1 : 0;
      most = Math.max(most, inside);
      if (isLarge) await gate.promise;
      const receipt = await receive(context, webhook, request);
      inside -= isLarge ? 1 : 0;
      return receipt;
    },
    acceptProbe: () => false,
    onError: (error) => expect(error).toBeNull(),
  });
  const url = `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const large = Array.from({ length: 4 }, () => signedPost(url, padded(10)));
  await eventually('the first large one', () => begun.length === 1);
  expect((await signedPost(url, comment('hello'))).status).toBe(202);
  expect(begun).toHaveLength(2);
  gate.resolve();
  expect((await Promise.all(large)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect([most, begun.length]).toEqual([1, 5]);
});
