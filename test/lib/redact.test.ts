import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createRedactor, secret, withoutUserinfo } from '../../src/lib/redact/redact.ts';
import { growth, LINEAR } from '../support/growth.ts';

const SECRET = '👩’s "quoted" & long';
const knowing = (...secrets: readonly string[]) => {
  const redactor = createRedactor({});
  redactor.learn('test', () => secrets);
  return redactor;
};

describe('a secret that is known', () => {
  const forms: Readonly<Record<string, string>> = {
    'as it is': SECRET,
    'in JSON': JSON.stringify(SECRET),
    'in a URL': `https://example.com/?key=${encodeURIComponent(SECRET)}&b`,
    'in base64': Buffer.from(SECRET).toString('base64'),
    'in base64url': Buffer.from(SECRET).toString('base64url'),
    'in hex': Buffer.from(SECRET).toString('hex'),
  };
  test.each(Object.entries(forms))('%s is taken out', (_, text) => {
    const { redactKnown } = knowing('another-secret', SECRET);
    const around = redactKnown(`before ${text} between ${text} after`);
    expect(around).toMatch(/^before .*\[redacted\].* between .*\[redacted\].* after$/);
    expect(around).not.toMatch(/quoted/);
  });

  test('is found at the start, at the end, and alone', () => {
    const { redactKnown } = knowing('abcdefgh');
    expect(redactKnown('abcdefgh')).toBe('[redacted]');
    expect(redactKnown('abcdefghabcdefgh')).toBe('[redacted][redacted]');
    expect(redactKnown('abcdefg')).toBe('abcdefg');
    expect(redactKnown('')).toBe('');
  });

  test('the longer of two that begin alike is taken whole', () => {
    expect(knowing('abcdefgh', 'abcdefgh-and-more').redactKnown('x abcdefgh-and-more y')).toBe(
      'x [redacted] y',
    );
  });

  test('of fewer than eight characters is not looked for: it would be found in words', () => {
    expect(knowing('open').redactKnown('opened the open door')).toBe('opened the open door');
  });

  test('leaves JSON as JSON', () => {
    const { redact } = knowing(SECRET);
    const text = JSON.stringify({
      a: SECRET,
      b: `cookie: sid=1\\"${SECRET}`,
      c: 'Authorization: Bearer abcdefgh\\"',
      d: 'https://u:p@h/',
    });
    expect(JSON.stringify(JSON.parse(redact(text)))).not.toMatch(/quoted|sid=1|abcdefgh|u:p/);
  });

  test('is taken out of a message that was clean before it was known', () => {
    const redactor = createRedactor({});
    const message = 'it says later-secret';
    expect([redactor.redact(message), redactor.redact(message)]).toEqual([message, message]);
    redactor.learn('test', () => ['later-secret']);
    expect(redactor.redact(message)).toBe('it says [redacted]');
    redactor.reveal('later-secret');
    expect(redactor.redact(message)).toBe(message);
  });

  test('is no longer looked for when its origin has another, or when it is to be shown', () => {
    const redactor = createRedactor({});
    redactor.learn('test', () => ['former-secret']);
    expect(redactor.redactKnown('former-secret')).toBe('[redacted]');
    redactor.learn('test', () => ['latter-secret']);
    expect(redactor.redactKnown('former-secret latter-secret')).toBe('former-secret [redacted]');
    redactor.reveal('latter-secret');
    expect(redactor.redactKnown('latter-secret')).toBe('latter-secret');
  });

  test('one of 10,000 is found', () => {
    const secrets = Array.from({ length: 10_000 }, (_, index) => `${index}`.padStart(12, 'x').repeat(4));
    const { redactKnown } = knowing(...secrets);
    redactKnown('the index is made');
    const line = JSON.stringify({
      text: 'a log line about a webhook xxxxxxx'.repeat(10),
      key: secrets[7_777],
    });
    expect(redactKnown(line)).not.toContain(secrets[7_777]);
  });
});

describe('what looks like a secret is taken out of messages', () => {
  const { redact, redactKnown } = createRedactor({});
  test.each([
    ['connect to https://ada:pa55w0rd@example.com:8443/x failed', 'https://[redacted]@example.com:8443/x'],
    ['https://:pa55w0rd@example.com', 'https://[redacted]@example.com'],
    ['Authorization: Bearer eyJhbGciOi.J9.x', 'Authorization: [redacted]'],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"[redacted]"}'],
    ["headers: [ 'authorization', 'Token 123456789' ]", '[redacted]'],
    ['Proxy-Authorization: Digest abcdefghi', 'Proxy-Authorization: [redacted]'],
    ['Cookie: sid=abc; theme=dark', 'Cookie: [redacted]'],
    ['set-cookie: id=abc; Path=/', 'set-cookie: [redacted]'],
    ['sent with bearer abcdefgh12345', 'bearer [redacted]'],
    [`a ghp_${'a'.repeat(36)} b`, 'a [redacted] b'],
    [`github_pat_${'a'.repeat(30)}`, '[redacted]'],
    [`xoxb-${'1'.repeat(12)}-abc`, '[redacted]'],
    [`glpat-${'a'.repeat(20)}`, '[redacted]'],
    [`sk-ant-${'a'.repeat(30)}`, '[redacted]'],
    [`whsec_${'a'.repeat(32)}`, '[redacted]'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toContain(expected);
    expect(redact(text)).not.toMatch(/pa55|eyJ|dXN|123456|abcdefghi|sid=|id=abc|aaaa|1111/);
    expect(redactKnown(text), 'data stays what it is').toBe(text);
  });

  test.each([
    'send the token of `hookctl token` as `Authorization: Bearer …`',
    'curl -H "Authorization: Bearer $(hookctl token)" http://127.0.0.1:8001/api/status',
    'see https://example.com:8080/@ada and mail ada@example.com',
    'the basic idea: a bearer of news',
  ])('not: %s', (text) => expect(redact(text)).toBe(text));

  test.each([
    ['schemes', (n: number) => ':// '.repeat(n)],
    ['a user without end', (n: number) => `://${'a:'.repeat(n)}`],
    ['names of headers', (n: number) => 'authorization='.repeat(n)],
    ['one word', (n: number) => 'a'.repeat(4 * n)],
  ])('F18: four times the text takes about four times as long: %s', (_, make) => {
    expect(growth((times) => void redact(make(times)), 20_000)).toBeLessThan(LINEAR);
  });
});

test('an id that ends like the name of a secret says nothing about what follows', () => {
  const { redact } = createRedactor({});
  for (const id of ['task-01m8q8e3gx4h0pwd', 'dlv-01m8q8e3g0secret', 'flow-eb2f2c83fb6creds']) {
    const text = `{"id":"${id}","delivery_id":"dlv-01m8q8e3gx7tcw4h","${id}":"Hunter2Hunter2"}`;
    expect(redact(text)).toBe(text);
  }
  // What only resembles an id hides nothing.
  for (const name of [
    'task-db0pwd',
    'my-01m8q8e3gx4h0pwd',
    'task-01m8q8e3gx4h0000pwd',
    'xtask-01m8q8e3gx4h0pwd',
  ])
    expect(redact(`${name}="Hunter2Hunter2"`)).toBe(`${name}="[redacted]"`);
});

test('variables whose names say so are known from the start', () => {
  const { redactKnown } = createRedactor({
    GITHUB_TOKEN: 'value-of-token',
    MY_API_KEY: 'value-of-key',
    PATH: '/usr/bin/path',
    EMPTY_SECRET: '',
  });
  expect(redactKnown('value-of-token value-of-key /usr/bin/path')).toBe(
    '[redacted] [redacted] /usr/bin/path',
  );
});

test('the type of secrets shows itself nowhere', () => {
  const value = secret('never-shown');
  const shown = [
    `${value}`,
    JSON.stringify({ value }),
    inspect({ value }),
    String(value),
    inspect(new Error(`${value}`)),
  ];
  expect(shown.join()).not.toContain('never-shown');
  expect(value.reveal()).toBe('never-shown');
});

test('a URL loses its user and password', () => {
  expect(withoutUserinfo('https://ada:pa55@example.com/a@b')).toBe('https://[redacted]@example.com/a@b');
  expect(withoutUserinfo('https://token@example.com')).toBe('https://[redacted]@example.com');
  expect(withoutUserinfo('https://example.com/a@b')).toBe('https://example.com/a@b');
});
