import { describe, expect, test } from 'vitest';
import { match, nothingToDo } from '../../src/deliveries/match.ts';
import type { Webhook, WebhookEvent } from '../../src/types.ts';
import { eventWith, person, webhookWith } from './support.ts';

const TRIGGERS = [
  { trigger: 'issues.opened', conditions: { 'issue.labels.name': 'bug' }, template: 'late' },
  { trigger: 'issues.*', priority: 10, template: 'first' },
  { trigger: '*', priority: 50, template: 'second' },
  { trigger: 'push', template: 'never' },
  { trigger: 'issues.opened', template: 'last, by creation', requiresApproval: true },
];

const opened = (changes: Partial<WebhookEvent> = {}) =>
  eventWith({ type: 'issues.opened', payload: { issue: { labels: [{ name: 'bug' }] } }, ...changes });

/** The templates of the commands that fire, in the order in which they run. */
function fires(webhook: Webhook, event: WebhookEvent): readonly string[] {
  return match(webhook, event)
    .matches.filter(({ fired }) => fired)
    .map(({ command, needsApproval }) => command.template.source + (needsApproval ? ' (approval)' : ''));
}

describe('A1: the text of another than the sender', () => {
  const moved = { text: '@agent fix it', author: { id: '2', name: 'mallory' }, type: 'issues.opened' };

  test('starts no text command, and the reason names both', async () => {
    const { matches, ignored } = match(await webhookWith(), eventWith(moved));
    expect(matches.filter(({ fired }) => fired)).toEqual([]);
    expect(ignored).toContain('mallory (id 2) wrote the text, and ada (id 1) acted');
  });

  test('starts no default command where none needs the prefix', async () => {
    const webhook = await webhookWith({ requirePrefix: false, events: ['issues.opened'] });
    expect(match(webhook, eventWith(moved)).ignored).toContain('mallory (id 2) wrote the text');
    expect(match(webhook, eventWith({ ...moved, text: null, author: null })).ignored).toBeNull();
  });

  test('starts triggers, which the sender is judged for', async () => {
    const commands = [{ trigger: 'issues.opened', template: 'New' }];
    const [found] = match(
      await webhookWith({ commands, defaultCommand: undefined }),
      eventWith(moved),
    ).matches;
    expect(found).toMatchObject({ fired: true, needsApproval: false });
  });
});

describe('trigger commands', async () => {
  const webhook = await webhookWith({ commands: TRIGGERS, defaultCommand: undefined });

  test('all that fit run, lowest priority first, ties in order of creation', () => {
    expect(fires(webhook, opened())).toEqual(['first', 'second', 'late', 'last, by creation (approval)']);
  });

  test('one whose condition does not hold says which', () => {
    const { matches } = match(webhook, opened({ payload: { issue: { labels: [{ name: 'docs' }] } } }));
    const late = matches.find(({ command }) => command.template.source === 'late');
    expect(late).toMatchObject({ fired: false, reason: expect.stringContaining('issue.labels.name') });
  });

  test('one for another event says so', () => {
    const push = match(webhook, opened()).matches.find(({ command }) => command.template.source === 'never');
    expect(push).toMatchObject({ fired: false, reason: 'the event is issues.opened, the trigger push' });
  });

  test.each([
    ['a stranger', person({ association: 'NONE' })],
    ['a bot', person({ kind: 'bot' })],
    ['nobody', null],
  ])('by %s they wait for approval', (_, sender) => {
    expect(fires(webhook, opened({ sender }))).toEqual([
      'first (approval)',
      'second (approval)',
      'late (approval)',
      'last, by creation (approval)',
    ]);
  });

  test('a sender without a person needs no approval', () => {
    expect(fires(webhook, opened({ sender: person({ kind: 'system', association: null }) }))[0]).toBe(
      'first',
    );
  });
});

describe('text commands', async () => {
  const webhook = await webhookWith();
  const says = (text: string, changes: Partial<WebhookEvent> = {}) => eventWith({ text, ...changes });

  test('one fires; each other one says which was asked for', () => {
    const { matches, ignored } = match(webhook, says('@agent plan it'));
    expect(ignored).toBeNull();
    expect(matches.map(({ command, fired, reason }) => [command.id, fired, reason])).toEqual([
      ['analyze', false, 'the text asks for `plan`'],
      ['plan', true, 'the text says `plan`; ada is OWNER'],
      ['fix', false, 'the text asks for `plan`'],
    ]);
  });

  test('a command that needs approval says so', () => {
    expect(fires(webhook, says('@agent fix it'))).toEqual(['Fix {{@argument}} (approval)']);
  });

  test('a stranger starts nothing; the reason names the allowed senders', () => {
    const { matches, ignored } = match(
      webhook,
      says('@agent fix', { sender: person({ association: 'NONE' }) }),
    );
    expect(matches.some(({ fired }) => fired)).toBe(false);
    expect(ignored).toContain('ada (id 1, NONE) may not command');
  });

  test.each([
    ['the text has no `@agent`', says('looks good')],
    ['issue_comment.deleted brings no text that commands', eventWith({ type: 'issue_comment.deleted' })],
    ['`stop` counts only at the beginning of a comment, and starts no command', says('@agent stop')],
  ])('%s', (reason, event) => {
    expect(match(webhook, event).ignored).toBe(reason);
  });

  test('come before triggers of any priority', async () => {
    const both = await webhookWith({
      commands: [
        { trigger: '*', priority: -5, template: 'trigger' },
        { name: 'analyze', template: 'text' },
      ],
    });
    expect(fires(both, says('@agent analyze'))).toEqual(['text', 'trigger']);
  });
});

describe('what hookctl itself has posted', async () => {
  const webhook = await webhookWith({ commands: [{ name: 'analyze' }, { trigger: '*' }] });
  const own = '<!-- hookctl:task-1 -->\nDone. Ask me again with @agent analyze';

  test('starts nothing, no trigger either, with any token', () => {
    const { matches, ignored } = match(webhook, eventWith({ text: own }));
    expect(matches.some(({ fired }) => fired)).toBe(false);
    expect(ignored).toBe('hookctl posted this text itself');
  });

  test('and what the same person types is a command: only the mark tells the two apart', () => {
    const posted = eventWith({ text: own });
    const typed = eventWith({ text: '@agent analyze', sender: posted.sender });
    expect(match(webhook, posted).ignored).not.toBeNull();
    expect(match(webhook, typed).matches.filter(({ fired }) => fired)).toHaveLength(2);
  });

  test('may be quoted in an answer', () => {
    const answer = `> <!-- hookctl:task-1 -->\n> Done.\n\n@agent analyze again`;
    expect(match(webhook, eventWith({ text: answer })).ignored).toBeNull();
  });
});

describe('an event that nothing fits', () => {
  test('a webhook of triggers alone names them', async () => {
    const webhook = await webhookWith({
      commands: [{ trigger: 'issues.opened' }, { trigger: 'issues.opened' }, { trigger: 'push' }],
      defaultCommand: undefined,
    });
    expect(match(webhook, eventWith({ type: 'ping' })).ignored).toBe(
      'no trigger fits ping; triggers: issues.opened, push',
    );
  });

  test('an empty text is not called an event without text', async () => {
    expect(match(await webhookWith(), eventWith({ type: 'issues.opened' })).ignored).toBe(
      'issues.opened brings no text',
    );
    expect(match(await webhookWith(), eventWith({ type: 'push' })).ignored).toBe(
      'push brings no text that commands',
    );
  });
});

test('a webhook without commands says so', async () => {
  const webhook = await webhookWith({ commands: [], defaultCommand: undefined });
  expect(match(webhook, eventWith({ text: '@agent' })).ignored).toBe('the webhook has no commands');
});

test('an event whose type nothing takes: each further one gets the same outcome, unless it says more', async () => {
  const webhook = await webhookWith();
  const outcome = (...events: readonly WebhookEvent[]) => nothingToDo(webhook, { events }, 'verified');
  const labeled = (changes: Partial<WebhookEvent> = {}) => eventWith({ type: 'issues.labeled', ...changes });
  const plain = outcome(labeled({ sender: null }));
  expect(plain?.reason).toBe('issues.labeled brings no text');
  expect(outcome(labeled({ title: 'Another' }))).toBe(plain);
  expect(outcome(eventWith({ type: 'push' }))?.reason).toBe('push brings no text that commands');
  expect(outcome(labeled({ withoutText: 'the text is too long' }))?.reason).toBe('the text is too long');
  expect(outcome(labeled({ asks: 'the issue was assigned to 1' }))).toBeNull();
  expect(outcome(labeled(), labeled())?.decisions.map(({ event }) => event)).toEqual([0, 0, 0, 1, 1, 1]);
});

test('an event whose type a trigger or the default command takes is decided by all that it says', async () => {
  const trigger = { trigger: 'issues.*', action: 'create_task', template: 'x', conditions: { a: 1 } };
  const triggered = await webhookWith({ commands: [trigger], defaultCommand: undefined });
  const labeled = (payload: object) => eventWith({ type: 'issues.labeled', payload: { ...payload } });
  const events = (event: WebhookEvent) => ({ events: [event] });
  expect(nothingToDo(triggered, events(labeled({ a: 2 })), 'verified')).not.toBeNull();
  expect(nothingToDo(triggered, events(labeled({ a: 1 })), 'verified')).toBeNull();
  const open = await webhookWith({ requirePrefix: false, events: ['issues.labeled'] });
  const by = (association: string) =>
    events(eventWith({ type: 'issues.labeled', sender: person({ association }) }));
  expect(nothingToDo(open, by('NONE'), 'verified')).not.toBeNull();
  expect(nothingToDo(open, by('OWNER'), 'verified')).toBeNull();
});
