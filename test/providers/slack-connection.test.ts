import { describe, expect, test } from 'vitest';
import { slack } from '../../src/providers/slack/index.ts';
import { bytes, json, keysOf, onlyEvent, request, samplePayload, secretsOf, signed } from './support.ts';

const SETTINGS = { commandPrefix: '@agent', options: {} };
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

const event = (payload: unknown) => onlyEvent(slack.parse(request(json(payload), JSON_TYPE), SETTINGS));
const form = (fields: Record<string, string>) =>
  request(bytes(new URLSearchParams(fields).toString()), FORM_TYPE);

describe('forms', () => {
  const command = (text: string) =>
    onlyEvent(slack.parse(form({ command: '/agent', user_id: 'U1', text, trigger_id: '1.2.3' }), SETTINGS));
  test.each([
    ['analyze why', '@agent analyze why'],
    ['@agent analyze', '@agent analyze'],
    ['@agents analyze', '@agent @agents analyze'],
    ['a &lt; b', '@agent a < b'],
    ['', '@agent'],
  ])('/agent %s', (text, expected) => expect(command(text).text).toBe(expected));

  test('an interaction names its thread and who clicked, and no text', () => {
    const incoming = signed(slack, json(samplePayload(slack, 'block_actions')), { type: 'block_actions' });
    expect(incoming.headers['content-type']).toBe(FORM_TYPE['content-type']);
    expect(onlyEvent(slack.parse(incoming, SETTINGS))).toMatchObject({
      externalId: expect.stringMatching(/^slack:T0ACME:C0GENERAL:\d+\.\d+$/),
      sender: { id: 'U0ADA', name: 'ada', association: 'member' },
      text: null,
    });
  });

  test('the same click under a new signature is the same delivery', () => {
    expect(keysOf(slack.parse(form({ command: '/x', trigger_id: '1.2.3' })))).toEqual(['trigger:1.2.3']);
  });

  test.each(['payload=%7B%22a%22', 'command=/x&command=/y', 'command=%ff', 'payload=[]'])(
    '%s is refused',
    (body) => {
      expect(slack.parse(request(bytes(body), FORM_TYPE)).ok).toBe(false);
    },
  );
});

describe('what Slack asks of the connection', () => {
  const answer = (payload: unknown) => {
    const incoming = request(json(payload), JSON_TYPE);
    return slack.acknowledge?.(incoming, slack.parse(incoming, SETTINGS));
  };
  test('the challenge is answered with itself, once it is signed', () => {
    const payload = { token: 'x', challenge: 'a"b', type: 'url_verification' };
    expect(answer(payload)).toMatchObject({ status: 200, body: '{"challenge":"a\\"b"}' });
    expect(slack.verify(request(json(payload), JSON_TYPE), secretsOf('s'), 0)).toMatchObject({
      cause: 'signature_missing',
    });
    expect(slack.answerUnsigned?.(request(json(payload), JSON_TYPE))).toBeNull();
  });

  test('everything else gets an empty 200, and the unreadable the usual answer', () => {
    expect(answer(samplePayload(slack, 'message.channel'))).toEqual({ status: 200, headers: {}, body: '' });
    const unreadable = request(bytes('{'), JSON_TYPE);
    expect(slack.acknowledge?.(unreadable, slack.parse(unreadable))).toBeNull();
  });

  test('ssl_check is answered unsigned, and nothing beside it is believed', () => {
    expect(slack.answerUnsigned?.(form({ ssl_check: '1', token: 'x' }))).toEqual({
      status: 200,
      headers: {},
      body: '',
    });
    const smuggled = form({ ssl_check: '1', command: '/agent', text: 'fix', user_id: 'U1' });
    expect(slack.answerUnsigned?.(smuggled)?.body).toBe('');
    for (const body of ['ssl_check=0', 'xssl_check=1', 'text=ssl_check%3D1', 'ssl_check=1&ssl_check=2']) {
      expect(slack.answerUnsigned?.(request(bytes(body), FORM_TYPE))).toBeNull();
    }
    expect(slack.answerUnsigned?.(request(bytes('ssl_check=1'), JSON_TYPE))).toBeNull();
    expect(slack.parse(form({ ssl_check: '1' }))).toEqual({ ok: true, events: [], semanticKeys: [] });
  });

  test('notices and events of tomorrow are read', () => {
    expect(event({ type: 'app_rate_limited', team_id: 'T1' })).toMatchObject({
      type: 'app_rate_limited',
      externalId: null,
      sender: null,
    });
    expect(event({ type: 'event_callback', event: { type: 'new_thing' } })).toMatchObject({
      type: 'new_thing',
      text: null,
    });
    expect(event({})).toMatchObject({ type: 'unknown' });
  });
});
