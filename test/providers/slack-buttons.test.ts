import { expect, test } from 'vitest';
import { reply } from '../../src/providers/slack/reply.ts';
import { account, PLACES } from '../outbox/support.ts';

interface Section {
  readonly type: string;
  readonly text?: { readonly text: string };
}

const POST = {
  id: 'out-0000000000000001',
  buttons: [{ action: 'approve', label: 'Approve', value: 'v' }],
} as const;
const slack = account('slack', 'https://slack.com');

function sectionsOf(text: string): readonly string[] {
  const { body } = reply.comment(slack, PLACES.slack ?? { host: null }, { ...POST, text });
  const { blocks = [] } = body as { blocks?: Section[] };
  return blocks.flatMap((block) => (block.type === 'section' ? [block.text?.text ?? ''] : []));
}

test.each([
  ['many lines', 'one line of a result\n'.repeat(500)],
  ['one line', 'word '.repeat(2_000)],
  ['code', `Before\n\n\`\`\`\n${'const x = 1;\n'.repeat(700)}\`\`\`\n\nBehind`],
])(
  'buttons under a long text: %s is cut into sections that Slack takes, and nothing is lost',
  (name, text) => {
    const sections = sectionsOf(text);
    expect(sections.length).toBeGreaterThan(1);
    expect(sections.every((each) => each.length <= 3_000)).toBe(true);
    const words = (each: string) => each.replace(/```|\s/g, '').length;
    expect(words(sections.join(''))).toBe(words(text));
    // Each section is rendered by itself, so that each has to close the code that it opens.
    if (name === 'code')
      expect(sections.every((each) => (each.match(/```/g) ?? []).length % 2 === 0)).toBe(true);
  },
);

test('a post without buttons has no blocks, and an edit takes those of before away', () => {
  const place = PLACES.slack ?? { host: null };
  const bare = { id: POST.id, text: 'Done.', buttons: [] };
  expect(reply.comment(slack, place, bare).body).not.toHaveProperty('blocks');
  expect(reply.edit?.(slack, place, 'C9:1.5:T1', bare).body).toMatchObject({
    channel: 'C9',
    ts: '1.5',
    blocks: [],
  });
  expect(reply.edit?.(slack, place, '1.5', bare).body).toMatchObject({ channel: 'C1', ts: '1.5' });
});

test('a click is on a post only in its message, channel and workspace', () => {
  const place = { host: null, channel: 'C1', team: 'T1' };
  const isPost = (remoteId: string, pressed: string) => reply.isPost?.(place, remoteId, pressed);
  expect(isPost('C1:1.5:T1', 'C1:1.5:T1')).toBe(true);
  expect(isPost('1.5', 'C1:1.5:T1')).toBe(true);
  // Of an organisation with shared channels the click names none.
  expect(isPost('C1:1.5:T1', 'C1:1.5:')).toBe(true);
  for (const other of ['C1:1.6:T1', 'C2:1.5:T1', 'C1:1.5:T2', '1.5', ''])
    expect([other, isPost('C1:1.5:T1', other)]).toEqual([other, other === '1.5']);
});
