import { describe, expect, test } from 'vitest';
import { findCall } from '../../src/deliveries/rules/text-command.ts';
import { growth, LINEAR } from '../support/growth.ts';
import { eventWith, webhookWith } from './support.ts';

const github = await webhookWith();

/** What a new comment of this text asks for: `command: argument`, or null. */
function asked(text: string, webhook = github): string | null {
  const call = findCall(webhook, eventWith({ text }));
  return call.command === null ? null : `${call.command.name}: ${call.argument}`;
}

function whyNot(text: string, webhook = github): string {
  const call = findCall(webhook, eventWith({ text }));
  if (call.command !== null) throw new Error(`it asks for ${call.command.name}`);
  return call.reason;
}

describe('the prefix and the word behind it name a command', () => {
  test.each([
    ['@agent analyze why login fails', 'analyze: why login fails'],
    ['Hello, could @agent plan this please', 'plan: this please'],
    ['@agent ANALYZE it', 'analyze: it'],
    ['@AGENT plan it', 'plan: it'],
    ['@agent analysis it', 'analyze: it'],
    ['@agent: plan: the move', 'plan: the move'],
    ['@agent, fix, please', 'fix: please'],
    ['@agent\nplan\nthe move', 'plan: the move'],
    ['(@agent fix)', 'fix: '],
    ['first line\r\n@agent fix the rest\r\n', 'fix: the rest'],
    ['@agent fix `login()` and "the rest"', 'fix: `login()` and "the rest"'],
    ['@agent plan\n```js\nlogin()\n```', 'plan: ```js\nlogin()\n```'],
    ['@agent plan a\n@agent fix b', 'plan: a\n@agent fix b'],
    ['> @agent fix\n\n@agent plan it', 'plan: it'],
    ['```login()``` fails\n@agent plan it', 'plan: it'],
    ['@agent... plan it', 'plan: it'],
    ['**@agent** plan it', 'plan: it'],
    ['**@agent plan** it', 'plan: it'],
  ])('%j asks for %j', (text, expected) => {
    expect(asked(text)).toBe(expected);
  });
});

describe('another word, or none, means the default command with the whole text', () => {
  test.each([
    ['@agent', 'analyze: '],
    ['@agent please have a look', 'analyze: please have a look'],
    ['@agent analyzer', 'analyze: analyzer'],
    ['@agent re-analyze', 'analyze: re-analyze'],
    ['@agent fix-it', 'analyze: fix-it'],
  ])('%j asks for %j', (text, expected) => {
    expect(asked(text)).toBe(expected);
  });
});

describe('a prefix inside a word, and words that the writer quotes, are no command', () => {
  test.each([
    ['@agents fix', '1 is part of a longer word'],
    ['@agent-x fix', '1 is part of a longer word'],
    ['@agent/team fix', '1 is part of a longer word'],
    ['ada@agent fix', '1 is part of a longer word'],
    ['@agent.example fix', '1 is part of a longer word'],
    ['"@agent fix"', '1 is in quotation marks'],
    ['> @agent fix', '1 is in a quote'],
    ['  > @agent fix', '1 is in a quote'],
    ['> > @agent fix', '1 is in a quote'],
    ['write `@agent fix` for that', '1 is in a code span'],
    ['write ``@agent fix`` for that', '1 is in a code span'],
    ['```\n@agent fix\n```', '2 is in a code block'],
    ['```sh\n@agent fix\n```\nlike so', '2 is in a code block'],
    ['~~~\n@agent fix\n~~~', '2 is in a code block'],
    ['```\n@agent fix', '2 is in a code block'],
    ['like so:\n\n    @agent fix\n\nand so on', '3 is in a code block'],
    ['like so:\n\n\t@agent fix', '3 is in a code block'],
    ['<!-- @agent fix -->', '1 is in an HTML comment'],
    ['<!-- @agent fix', '1 is in an HTML comment'],
    [
      'Thanks!\n\nOn Mon, 3 Nov 2026 at 10:00, Ada <ada@example.com> wrote:\n\n@agent fix',
      '5 is in quoted mail',
    ],
    ['Thanks!\n\n-----Original Message-----\n@agent fix', '4 is in quoted mail'],
  ])('%j asks for nothing', (text, where) => {
    expect(asked(text)).toBeNull();
    expect(whyNot(text)).toBe(`\`@agent\` in line ${where}`);
  });

  test('a text without the prefix says so', () => {
    expect(whyNot('analyze this')).toBe('the text has no `@agent`');
    expect(whyNot('')).toBe('the text has no `@agent`');
  });
});

test.each(['approve', 'stop', 'Stop', 'stop.'])('the reserved word %j starts nothing', (word) => {
  expect(whyNot(`@agent ${word}`)).toMatch(/`(approve|stop)` counts only at the beginning/);
});

test('without a default command an unknown word is answered with the known ones', async () => {
  const webhook = await webhookWith({ defaultCommand: undefined });
  expect(whyNot('@agent dance', webhook)).toBe(
    'no known command behind the prefix; known: analyze, plan, fix',
  );
});

test('a prefix of signs that mean something in a regular expression is taken as it is', async () => {
  const webhook = await webhookWith({ commandPrefix: '/hook+' });
  expect(asked('/hook+ plan it', webhook)).toBe('plan: it');
  expect(asked('/hookk plan it', webhook)).toBeNull();
});

describe('edits', () => {
  const edit = eventWith({ type: 'issue_comment.edited', text: '@agent plan it', textOrigin: 'edited' });

  test('start nothing, and the reason says what to configure', () => {
    expect(findCall(github, edit)).toEqual({
      command: null,
      reason: 'the text is an edit, and `events` of github does not name issue_comment.edited',
    });
  });

  test.each(['issue_comment.edited', 'issue_comment.*', '*'])(
    'command when `events` names %j',
    async (name) => {
      expect(findCall(await webhookWith({ events: [name] }), edit).command?.name).toBe('plan');
    },
  );
});

describe('without a required prefix', async () => {
  const sentry = await webhookWith({ requirePrefix: false, events: ['issues.*'] });

  test('the default command runs on the named events', () => {
    const call = findCall(sentry, eventWith({ type: 'issues.labeled', text: null }));
    expect(call.command?.name).toBe('analyze');
  });

  test('a prefix in the text still chooses', () => {
    const call = findCall(sentry, eventWith({ type: 'issues.opened', text: '@agent plan it' }));
    expect(call.command?.name).toBe('plan');
  });

  test('other events run nothing', () => {
    expect(findCall(sentry, eventWith({ type: 'push', text: null }))).toEqual({
      command: null,
      reason: 'push brings no text that commands',
    });
  });
});

test.each([
  '`',
  '` ',
  '~',
  '> ',
  '@agent',
  '@agent.',
  '"@agent fix"',
  '<!--',
  '    x\n\n',
  '```\n',
  '```a\n',
  'On wrote: ',
  ' ',
])('a text of nothing but %j takes time in proportion to its length', (piece) => {
  expect(growth((times) => void asked(`${piece.repeat(times)} \n> @agent fix`), 16_000)).toBeLessThan(LINEAR);
});
