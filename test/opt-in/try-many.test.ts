import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { cliPath } from '../support/cli.ts';
import { onIssue, startEngine } from '../support/engine.ts';

const STORED = 10_000;
const PLANTED = 6_789;
const YAML = `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Look at {{@argument}}' }
      - { name: deploy, template: 'Deploy {{@argument}}' }
`;

/** `npm run test:try-many`: a changed configuration over 10,000 stored deliveries, of which one is decided otherwise. */
test(`try finds a planted difference in ${STORED} stored deliveries within 10 s`, async () => {
  const engine = await startEngine({ yaml: YAML });
  const { context } = engine;
  const webhook = context.snapshot().byName.get('github');
  const sample = webhook?.provider.samples.find(({ type }) => type === 'issue_comment.created');
  if (webhook === undefined || sample === undefined) throw new Error('no sample');
  let planted = '';
  for (let at = 0; at < STORED; at += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, offset) => {
        const number = at + offset + 1;
        const now = new Date();
        const text = number === PLANTED ? '@agent deploy it' : '@agent analyze it';
        const payload = onIssue(number)(sample.build({ text, now, nextNumber: () => number }));
        const body = Buffer.from(JSON.stringify(payload));
        const value = webhook.secrets[0]?.value ?? secret('x');
        const order = { type: sample.type, secret: value, deliveryId: randomUUID(), now };
        const request = webhook.provider.sign(body, order);
        const { deliveryId, status } = await receive(context, webhook, { query: '', ...request });
        expect(status).toBe('pending');
        if (number === PLANTED) planted = deliveryId;
      }),
    );
  }
  await engine.close();
  await writeFile(join(engine.folder, 'other.yml'), YAML.replace('name: deploy', 'name: ship'));
  const run = promisify(execFile);
  // As `serve` makes it: others may not look into it.
  await run('chmod', ['-R', 'go-rwx', join(engine.folder, '.hookctl')]);
  const args = [cliPath(), 'webhook', 'try', 'github', '--with', 'other.yml', '--json'];
  const options = { cwd: engine.folder, env: engine.env, maxBuffer: 64 * 1024 * 1024 };
  // The quickest of three: what it takes when nothing else is in the way.
  const times: number[] = [];
  let stdout = '';
  for (let round = 0; round < 3; round += 1) {
    const start = performance.now();
    ({ stdout } = await run(process.execPath, args, options));
    times.push((performance.now() - start) / 1_000);
  }
  const seconds = Math.min(...times);
  const { compared, differences } = JSON.parse(stdout) as {
    compared: number;
    differences: readonly { delivery_id: string; command: string }[];
  };
  console.log(`${compared} deliveries tried in ${seconds.toFixed(1)} s`);
  expect(compared).toBe(STORED);
  expect(differences.map((each) => [each.delivery_id, each.command])).toEqual([
    [planted, 'analyze'],
    [planted, 'deploy'],
  ]);
  expect(seconds).toBeLessThanOrEqual(10);
});
