import { expect, test } from 'vitest';
import { formatDiagnostic } from '../../src/errors.ts';
import { folderWith, loadInNode } from './support.ts';

const PROVIDER = `import { defineProvider } from 'hookctl';
export const tickets = defineProvider({
  name: 'tickets',
  signature: { header: 'x-sig' },
  parse: () => ({ type: 'ticket.opened' }),
});
`;

function webhook(name: string, from: string): string {
  return `import { defineWebhook } from 'hookctl';
import { tickets } from '${from}';
export default defineWebhook({ name: '${name}', provider: tickets });
`;
}

test('one provider serves several webhooks, from a file of its own', async () => {
  const { loaded, stderr } = await loadInNode(
    folderWith({
      'webhooks.yml': '',
      'providers/tickets.ts': PROVIDER,
      'webhooks/one.ts': webhook('one', '../providers/tickets.ts'),
      'webhooks/two.ts': webhook('two', '../providers/tickets.ts'),
    }),
  );
  expect(stderr).toBe('');
  expect(loaded[0]?.problems).toEqual([]);
  expect(loaded[0]?.webhooks.map(({ name }) => name)).toEqual(['github', 'one', 'two']);
});

test('mistakes are reported once, in the file that has them; a name is one provider’s', async () => {
  const folder = folderWith({
    'webhooks.yml': '',
    'providers/broken.ts': PROVIDER.replace("header: 'x-sig'", "hedder: 'x-sig'"),
    'providers/same.ts': PROVIDER,
    'webhooks/one.ts': webhook('one', '../providers/broken.ts'),
    'webhooks/two.ts': webhook('two', '../providers/broken.ts'),
    'webhooks/three.ts': webhook('three', '../providers/same.ts'),
  });
  const { loaded } = await loadInNode(folder);
  const problems = loaded[0]?.problems.map((problem) =>
    formatDiagnostic(problem).replaceAll(`${folder}/`, ''),
  );
  expect(problems).toEqual([
    'providers/broken.ts:2 signature.hedder: unknown setting\n  Did you mean header?',
    'providers/same.ts:2 name: tickets is already taken by providers/broken.ts:2\n  Choose another name.',
  ]);
});
