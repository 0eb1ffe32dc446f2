import { describe, expect, test } from 'vitest';
import { checkSender, checkTextSender } from '../../src/deliveries/rules/senders.ts';
import type { SenderRule } from '../../src/types.ts';
import { eventWith, person } from './support.ts';

const rule: SenderRule = {
  associations: ['OWNER', 'MEMBER', 'COLLABORATOR'],
  users: ['4711'],
  apps: ['29310'],
};

describe('people command by association', () => {
  test.each(['OWNER', 'MEMBER', 'COLLABORATOR'])('%s may', (association) => {
    expect(checkSender(rule, person({ association }))).toEqual({
      allowed: true,
      reason: `ada is ${association}`,
    });
  });

  test.each(['CONTRIBUTOR', 'FIRST_TIMER', 'FIRST_TIME_CONTRIBUTOR', 'MANNEQUIN', 'NONE', null])(
    '%s may not, and the reason names id and way out',
    (association) => {
      const { allowed, reason } = checkSender(rule, person({ association }));
      expect(allowed).toBe(false);
      expect(reason).toContain(`ada (id 1, ${association ?? 'unknown'})`);
      expect(reason).toContain('allowed: OWNER, MEMBER, COLLABORATOR, or an id in `allow.users`');
    },
  );
});

test('a listed id may, whatever the association; a name never counts', () => {
  expect(checkSender(rule, person({ id: '4711', association: 'NONE' })).allowed).toBe(true);
  expect(checkSender(rule, person({ id: '9', name: '4711', association: 'NONE' })).allowed).toBe(false);
});

describe('bots and apps', () => {
  const bot = person({ kind: 'bot', name: 'helper[bot]' });

  test('a bot may not, even as OWNER or with a listed user id', () => {
    expect(checkSender(rule, bot).allowed).toBe(false);
    expect(checkSender(rule, { ...bot, id: '4711' }).allowed).toBe(false);
    expect(checkSender(rule, bot).reason).toContain('bots command only by a listed app id');
  });

  test('a bot of a listed app may', () => {
    expect(checkSender(rule, { ...bot, appId: '29310' }).allowed).toBe(true);
  });

  test('an app that acts for an OWNER may not unless it is listed, and a listed one is no more than the person', () => {
    expect(checkSender(rule, person({ appId: '7' })).allowed).toBe(false);
    expect(checkSender(rule, person({ appId: '7' })).reason).toContain('app 7');
    expect(checkSender(rule, person({ appId: '29310' })).allowed).toBe(true);
    expect(checkSender(rule, person({ appId: '29310', association: 'NONE' })).allowed).toBe(false);
  });
});

test('senders without a person need only verification; no sender at all is refused', () => {
  expect(checkSender(rule, person({ kind: 'system', association: null })).allowed).toBe(true);
  expect(checkSender(rule, null).allowed).toBe(false);
});

test('empty lists allow no sender', () => {
  expect(checkSender({ associations: [], users: [], apps: [] }, person()).allowed).toBe(false);
});

describe('A1: a text commands only as its author’s own act', () => {
  const said = (changes: Parameters<typeof eventWith>[0]) =>
    checkTextSender(rule, eventWith({ text: '@agent fix', ...changes }), 'verified');

  test('the sender’s own text is judged by the sender', () => {
    expect(said({})).toEqual({ allowed: true, reason: 'ada is OWNER' });
    expect(said({ sender: person({ association: 'NONE' }) }).allowed).toBe(false);
    expect(said({ sender: null })).toEqual({ allowed: false, reason: 'the event names no sender' });
  });

  test('somebody else’s text does not command, and the reason names both', () => {
    expect(said({ author: { id: '2', name: 'mallory' } })).toEqual({
      allowed: false,
      reason:
        'mallory (id 2) wrote the text, and ada (id 1) acted: a text commands only when its author sends it',
    });
  });

  test('names do not make two accounts one', () => {
    expect(said({ author: { id: '2', name: 'ada' } }).allowed).toBe(false);
    expect(said({ author: { id: '1', name: 'Ada L.' } }).allowed).toBe(true);
  });

  test('a text without a named author does not command', () => {
    expect(said({ author: null })).toEqual({
      allowed: false,
      reason: 'the payload does not name who wrote the text, and ada (id 1) acted',
    });
  });

  test('a text that was moved does not command, not even its author’s', () => {
    expect(said({ textOrigin: 'moved' })).toEqual({
      allowed: false,
      reason: 'ada moved the text here, and wrote it earlier',
    });
  });

  test('a system is no exception', () => {
    const sender = person({ id: 'ci', name: 'CI', kind: 'system', association: null });
    expect(said({ sender }).allowed).toBe(true);
    expect(said({ sender, author: { id: '2', name: 'mallory' } }).allowed).toBe(false);
  });

  test('an event without text is judged by its sender', () => {
    expect(said({ text: null, author: null })).toEqual({ allowed: true, reason: 'ada is OWNER' });
  });
});
