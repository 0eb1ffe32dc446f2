import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { freshStore, storePath } from '../store/fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { account, apisForFile, comment, startBench } from './support.ts';

const apis = apisForFile();
const PROVIDERS = ['github', 'jira', 'slack', 'sentry', 'gitlab'];

/** Runs the sending program until `ready` says so, and kills it with -9. */
async function killWhen(ready: (printed: string) => boolean, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sending-program.ts'), ...args]);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  try {
    await eventually('the program to come so far', () => ready(printed));
  } catch {
    throw new Error(`it printed: ${printed}`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

test.each(PROVIDERS)(
  'killed between the record and the sending, %s gets the comment once',
  async (provider) => {
    const path = storePath();
    const item = comment(provider, 'once');
    const base = account(provider, apis().url).baseUrl;
    await killWhen(
      (printed) => printed.includes('settled'),
      path,
      base,
      provider,
      JSON.stringify(item),
      'no',
    );
    const { end } = await startBench({
      store: await freshStore(path),
      accountOf: () => account(provider, apis().url),
    });
    expect(await end(item)).toMatchObject({ status: 'sent', attempts: 1 });
    expect(apis().posts.filter(({ text }) => hasMarker(text, item.id))).toHaveLength(1);
  },
);

test.each(PROVIDERS)('killed when %s has it but has not answered: it is posted once', async (provider) => {
  const path = storePath();
  const item = comment(provider, 'once more');
  const base = account(provider, apis().url).baseUrl;
  const stands = () => apis().posts.filter(({ text }) => hasMarker(text, item.id)).length;
  apis().fail({ cut: 'silence', processed: true });
  await killWhen(() => stands() === 1, path, base, provider, JSON.stringify(item), 'send');
  const { end } = await startBench({
    store: await freshStore(path),
    accountOf: () => account(provider, apis().url),
  });
  expect(await end(item)).toMatchObject({ status: 'sent', attempts: 2 });
  expect(stands()).toBe(1);
});
