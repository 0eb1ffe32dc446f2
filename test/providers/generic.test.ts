import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import { providerContract } from '../../src/contract.ts';
import type { SignatureSettings } from '../../src/providers/definition.ts';
import { generic } from '../../src/providers/generic/index.ts';
import type { signatureSchema } from '../../src/providers/scheme/settings.ts';
import type { JsonObject, Provider } from '../../src/types.ts';
import { bytes, hmac, json, keysOf, NOW, onlyEvent, request, secretsOf } from './support.ts';

const SECONDS = NOW.getTime() / 1000;

function shaped(settings: JsonObject): Provider {
  const configured = generic.configure?.(settings);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return configured.provider;
}

function outcome(
  settings: JsonObject,
  headers: Record<string, string>,
  body: string,
  { secrets = ['key'], now = NOW.getTime() }: { secrets?: readonly string[]; now?: number } = {},
): string {
  const verdict = shaped(settings).verify(request(bytes(body), headers), secretsOf(...secrets), now);
  return verdict.ok ? 'accepted' : verdict.cause;
}

const STANDARD: JsonObject = {
  header: 'webhook-signature',
  prefix: 'v1,',
  separator: ' ',
  encoding: 'base64',
  secretEncoding: 'whsec',
  signedContent: '{id}.{timestamp}.{body}',
  timestamp: 'header:webhook-timestamp',
  deliveryId: 'header:webhook-id',
};
const STRIPE: JsonObject = {
  header: 'stripe-signature',
  prefix: 'v1=',
  separator: ',',
  signedContent: '{timestamp}.{body}',
  timestamp: 'part:t',
};
const DISCORD: JsonObject = {
  scheme: 'ed25519',
  header: 'x-signature-ed25519',
  signedContent: '{timestamp}{body}',
  timestamp: 'header:x-signature-timestamp',
  publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
};

describe('published and derived signatures fit', () => {
  const slackBody =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  test.each([
    [
      'RFC 4231, case 2',
      { header: 'x-sig' },
      { 'x-sig': '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' },
      'what do ya want for nothing?',
      'Jefe',
      SECONDS,
    ],
    [
      'GitHub, to which no settings are needed',
      {},
      {
        'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      },
      'Hello, World!',
      "It's a Secret to Everybody",
      SECONDS,
    ],
    [
      'GitHub of old',
      { header: 'x-hub-signature', prefix: 'sha1=', algorithm: 'sha1' },
      { 'x-hub-signature': 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59' },
      'Hello, World!',
      "It's a Secret to Everybody",
      SECONDS,
    ],
    [
      'Slack',
      {
        header: 'x-slack-signature',
        prefix: 'v0=',
        signedContent: 'v0:{timestamp}:{body}',
        timestamp: 'header:x-slack-request-timestamp',
      },
      {
        'x-slack-request-timestamp': '1531420618',
        'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      },
      slackBody,
      '8f742231b10e8888abcd99yyyzzz85a5',
      1_531_420_618,
    ],
    [
      'Standard Webhooks',
      STANDARD,
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,y',
      },
      '{"test": 2432232314}',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      1_614_265_330,
    ],
    [
      'Stripe',
      STRIPE,
      {
        'stripe-signature':
          't=1492774577,v0=x,v1=0000,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a',
      },
      '{"id":"evt_test_webhook","object":"event"}',
      'whsec_test_secret',
      1_492_774_577,
    ],
    [
      'Discord',
      DISCORD,
      {
        'x-signature-timestamp': '1531420618',
        'x-signature-ed25519':
          '5dddde0612f335c8939507612e69436c8bac6f3dbbd8101b64ddad9ac3da9b7039b46294d43c8fc973db1179e3bffba5670d9e804c9dd8d668b090d55984a305',
      },
      '{"type":1}',
      'unused',
      1_531_420_618,
    ],
  ] as const)('%s', (_, settings, headers, body, secret, seconds) => {
    const with_ = { secrets: [secret], now: seconds * 1000 };
    expect(outcome(settings, headers, body, with_)).toBe('accepted');
    expect(outcome(settings, headers, `${body} `, with_)).toBe('signature_wrong');
  });
});

describe('what is signed', () => {
  test('may be the field of a form, or the URL that the sender knows', () => {
    const payload = '{"a":1}';
    const form = `payload=${encodeURIComponent(payload)}&x=1`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const fits = (settings: JsonObject, signed: string, body: string) =>
      outcome(
        { header: 'x-sig', ...settings },
        { ...headers, 'x-sig': hmac('key', signed).digest('hex') },
        body,
      );
    expect(fits({ signedContent: '{payload}' }, payload, form)).toBe('accepted');
    expect(fits({ signedContent: '{body}' }, payload, form)).toBe('signature_wrong');
    const url = { signedContent: '{url}{body}', publicUrl: 'https://hooks.example.com/x' };
    expect(fits(url, `https://hooks.example.com/x${form}`, form)).toBe('accepted');
  });

  test('may hold any header, which cannot be left out', () => {
    const settings = { header: 'x-sig', signedContent: '{header:X-Topic}\n{body}' };
    const headers = { 'x-topic': 'a', 'x-sig': hmac('key', 'a\n{}').digest('hex') };
    expect(outcome(settings, headers, '{}')).toBe('accepted');
    expect(outcome(settings, { ...headers, 'x-topic': 'b' }, '{}')).toBe('signature_wrong');
    expect(outcome(settings, { 'x-sig': headers['x-sig'] }, '{}')).toBe('signature_missing');
    expect(outcome(settings, { ...headers, 'x-topic': 'a\nb' }, '{}')).toBe('signature_malformed');
  });
});

test.each([
  ['sha512', 'hex'],
  ['sha1', 'base64'],
  ['sha256', 'base64'],
] as const)('%s in %s', (algorithm, encoding) => {
  const settings = { header: 'x-sig', algorithm, encoding };
  const right = hmac('key', '{}', algorithm).digest(encoding);
  expect(outcome(settings, { 'x-sig': right }, '{}')).toBe('accepted');
  expect(outcome(settings, { 'x-sig': `${right} ` }, '{}')).toBe('signature_malformed');
});

test.each([
  ['hex', Buffer.from('00ff10', 'hex'), '00FF10'],
  ['base64', Buffer.from('any key'), Buffer.from('any key').toString('base64')],
  ['whsec', Buffer.from('any key'), `whsec_${Buffer.from('any key').toString('base64')}`],
] as const)('a secret in %s is decoded, and what is none never fits', (secretEncoding, key, secret) => {
  const settings = { header: 'x-sig', secretEncoding };
  const headers = { 'x-sig': hmac(key, '{}').digest('hex') };
  expect(outcome(settings, headers, '{}', { secrets: [secret] })).toBe('accepted');
  const empty = { 'x-sig': hmac('', '{}').digest('hex') };
  for (const none of ['', 'ä', 'x-y', 'whsec_']) {
    expect(outcome(settings, empty, '{}', { secrets: [none] })).toBe('signature_wrong');
  }
});

describe('the time of signing', () => {
  const settings = { header: 'x-sig', signedContent: '{timestamp}.{body}', timestamp: 'header:x-time' };
  const at = (time: string | undefined, more: JsonObject = {}) =>
    outcome(
      { ...settings, ...more },
      {
        ...(time === undefined ? {} : { 'x-time': time }),
        'x-sig': hmac('key', `${time ?? ''}.{}`).digest('hex'),
      },
      '{}',
    );

  test.each([
    ['now', String(SECONDS), {}, 'accepted'],
    ['five minutes off', String(SECONDS + 300), {}, 'accepted'],
    ['too far ahead', String(SECONDS + 301), {}, 'timestamp_outside_window'],
    ['too old', String(SECONDS - 301), {}, 'timestamp_outside_window'],
    ['within a tolerance of one’s own', String(SECONDS - 10), { tolerance: 10 }, 'accepted'],
    ['outside of that', String(SECONDS - 11), { tolerance: '10' }, 'timestamp_outside_window'],
    ['in milliseconds', String(NOW.getTime()), { timestampUnit: 'ms' }, 'accepted'],
    ['in milliseconds, not expected', String(NOW.getTime()), {}, 'timestamp_outside_window'],
    ['as ISO 8601', '2026-11-23T12:00:00.123456789Z', { timestampUnit: 'iso' }, 'accepted'],
    ['as ISO 8601 elsewhere', '2026-11-23T14:00:00+02:00', { timestampUnit: 'iso' }, 'accepted'],
    ['as another time text', '23 Nov 2026 12:00', { timestampUnit: 'iso' }, 'timestamp_invalid'],
    ['missing', undefined, {}, 'timestamp_invalid'],
    ['no number', '1e9', {}, 'timestamp_invalid'],
  ] as const)('%s', (_, time, more, expected) => expect(at(time, more)).toBe(expected));

  test('may be in the payload, where the signature covers it', () => {
    const linear = { header: 'x-sig', timestamp: 'sent.at', timestampUnit: 'ms', tolerance: 60 };
    const judge = (payload: unknown) => {
      const body = JSON.stringify(payload);
      return outcome(linear, { 'x-sig': hmac('key', body).digest('hex') }, body);
    };
    expect(judge({ sent: { at: NOW.getTime() } })).toBe('accepted');
    expect(judge({ sent: { at: NOW.getTime() - 61_000 } })).toBe('timestamp_outside_window');
    expect(judge({ sent: {} })).toBe('timestamp_invalid');
    expect(judge([])).toBe('timestamp_invalid');
  });

  test('must be there once in a list of parts', () => {
    const v1 = `v1=${hmac('key', `${SECONDS}.{}`).digest('hex')}`;
    const judge = (header: string) => outcome(STRIPE, { 'stripe-signature': header }, '{}');
    expect(judge(`t=${SECONDS},${v1}`)).toBe('accepted');
    expect(judge(v1)).toBe('timestamp_invalid');
    expect(judge(`t=${SECONDS},t=1,${v1}`)).toBe('timestamp_invalid');
  });
});

describe('F19: blanks around a separator are not part of a value', () => {
  const v1 = `v1=${hmac('key', `${SECONDS}.{}`).digest('hex')}`;
  const t = `t=${SECONDS}`;
  test.each([
    ['a blank behind the comma', ',', `${t}, ${v1}`],
    ['blanks on both sides', ',', `${v1} ,\t${t}`],
    ['a comma alone where the setting has a blank', ', ', `${t},${v1}`],
    ['both ways in one header', ', ', `v1=00,${v1} , ${t}`],
    ['semicolons', ';', `${t} ; ${v1}`],
  ])('F19: %s', (_, separator, header) => {
    expect(outcome({ ...STRIPE, separator }, { 'stripe-signature': header }, '{}')).toBe('accepted');
    expect(outcome({ ...STRIPE, separator }, { 'stripe-signature': header }, '{} ')).toBe('signature_wrong');
  });

  test('F19: a second time is found behind a blank, too', () => {
    expect(outcome(STRIPE, { 'stripe-signature': `${t}, t=1, ${v1}` }, '{}')).toBe('timestamp_invalid');
  });

  test('F19: a blank that separates still does', () => {
    const signature = `v1,${hmac('key', `m.${SECONDS}.{}`).digest('base64')}`;
    const headers = {
      'webhook-id': 'm',
      'webhook-timestamp': String(SECONDS),
      'webhook-signature': `v1,x  ${signature}`,
    };
    expect(outcome({ ...STANDARD, secretEncoding: 'utf8' }, headers, '{}')).toBe('accepted');
  });
});

describe('D4: a byte order mark before the JSON', () => {
  const BOM = '\ufeff';
  const settings = { header: 'x-sig', externalId: 'id', deliveryId: 'id' };
  const body = `${BOM}{"id":7}`;
  const said = (text: string, headers = {}) => shaped(settings).parse(request(bytes(text), headers));

  test('D4: is read past, and signed as it came', () => {
    const sign = (signed: string) => ({ 'x-sig': hmac('key', signed).digest('hex') });
    expect(outcome(settings, sign(body), body)).toBe('accepted');
    expect(outcome(settings, sign('{"id":7}'), body)).toBe('signature_wrong');
    expect(onlyEvent(said(body)).externalId).toBe('generic:7');
    expect(keysOf(said(body))).toContain('id:7');
  });

  test('D4: in the field of a form as well', () => {
    const form = `payload=${encodeURIComponent(body)}`;
    expect(onlyEvent(said(form, { 'content-type': 'application/x-www-form-urlencoded' })).externalId).toBe(
      'generic:7',
    );
  });

  test('D4: before a signed time inside the payload', () => {
    const timed = `${BOM}{"at":${SECONDS}}`;
    const headers = { 'x-sig': hmac('key', timed).digest('hex') };
    expect(outcome({ header: 'x-sig', timestamp: 'at' }, headers, timed)).toBe('accepted');
  });

  test('D4: a second one, or one elsewhere, is no JSON', () => {
    for (const wrong of [BOM + body, `${BOM}`, `{"id":${BOM}7}`, body + BOM])
      expect(said(wrong).ok).toBe(false);
  });
});

describe('ed25519', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const settings = { scheme: 'ed25519', header: 'x-sig' };
  const headers = { 'x-sig': sign(null, bytes('{}'), privateKey).toString('hex') };

  test.each([
    ['in hex', raw.toString('hex')],
    ['in base64', raw.toString('base64')],
    ['marked', `whpk_${raw.toString('base64')}`],
  ])('the public key %s, as a setting or as the secret', (_, key) => {
    expect(outcome({ ...settings, publicKey: key }, headers, '{}', { secrets: [] })).toBe('accepted');
    expect(outcome(settings, headers, '{}', { secrets: ['x', key] })).toBe('accepted');
    expect(outcome(settings, headers, '{} ', { secrets: [key] })).toBe('signature_wrong');
  });

  test('a public key is never taken for a private one, or everybody could sign', () => {
    const published = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    const forger = shaped({ scheme: 'ed25519', header: 'x-sig' });
    expect(() => forger.sign(bytes('{}'), context(published))).toThrow(
      'only the sender can sign: the webhook has its public key alone',
    );
  });

  test('no key at all accepts nothing', () => {
    expect(outcome(settings, headers, '{}', { secrets: ['no key'] })).toBe('no_secret');
    expect(outcome(settings, headers, '{}', { secrets: [] })).toBe('no_secret');
  });
});

describe('a plain token', () => {
  test.each([
    ['as bearer', {}, { authorization: 'Bearer key' }, 'accepted'],
    ['in lower case', {}, { authorization: 'bearer key' }, 'accepted'],
    ['without its word', {}, { authorization: 'key' }, 'signature_malformed'],
    ['another', {}, { authorization: 'Bearer other' }, 'signature_wrong'],
    ['none', {}, { authorization: 'Bearer ' }, 'signature_missing'],
    ['no header', {}, {}, 'signature_missing'],
    ['in a header of its own', { header: 'X-Token' }, { 'x-token': 'key' }, 'accepted'],
    ['behind a prefix', { header: 'x-token', prefix: 'T ' }, { 'x-token': 'T key' }, 'accepted'],
    ['behind another', { header: 'x-token', prefix: 'T ' }, { 'x-token': 't key' }, 'signature_malformed'],
  ])('%s', (_, settings, headers, expected) => {
    expect(outcome({ scheme: 'token', ...settings }, headers as Record<string, string>, 'any')).toBe(
      expected,
    );
  });

  test('is never stored', () => {
    expect(shaped({ scheme: 'token', header: 'X-Token' }).secretHeaders).toEqual(['x-token']);
    expect(shaped({ scheme: 'basic' }).secretHeaders).toEqual(['authorization']);
  });
});

test.each([
  ['right', 'Basic aG9va2N0bDprZXk=', {}, 'accepted'],
  ['of another user', 'Basic b3RoZXI6a2V5', {}, 'signature_wrong'],
  ['of the user that is set', 'Basic b3RoZXI6a2V5', { user: 'other' }, 'accepted'],
  ['with another password', 'Basic aG9va2N0bDpub3Q=', {}, 'signature_wrong'],
  ['without password', 'Basic aG9va2N0bDo=', {}, 'signature_wrong'],
  ['as bearer', 'Bearer key', {}, 'signature_malformed'],
])('basic authentication: %s', (_, authorization, settings, expected) => {
  expect(outcome({ scheme: 'basic', ...settings }, { authorization }, 'any')).toBe(expected);
});

describe('what a request says', () => {
  const settings = {
    eventType: '{header:x-event}.{action}',
    externalId: '{project}#{issue.number}',
    sender: 'user.id',
    senderName: 'user.login',
    text: 'comment.body',
    textEvents: 'comment.created, review.*',
    title: 'issue.title',
    url: 'issue.link',
    deliveryId: 'header:x-delivery',
  };
  const payload = {
    action: 'created',
    project: 'shop',
    issue: { number: 7, title: 'Crash', link: 'https://example.com/7' },
    user: { id: 12, login: 'ada' },
    comment: { body: '@agent look' },
  };
  const read = (changes: JsonObject = {}, headers = { 'x-event': 'comment' }, options = {}) =>
    shaped({ ...settings, ...options }).parse(request(json({ ...payload, ...changes }), headers), {
      name: 'Bug tracker',
      commandPrefix: '@agent',
      options: {},
    });

  test('is where the settings say', () => {
    expect(onlyEvent(read())).toEqual({
      type: 'comment.created',
      externalId: 'generic:Bug_tracker:shop#7',
      sender: { id: '12', name: 'ada', kind: 'person', association: null, appId: null },
      text: '@agent look',
      author: { id: '12', name: 'ada' },
      textOrigin: 'created',
      title: 'Crash',
      url: 'https://example.com/7',
      payload,
    });
  });

  test('the author of a text is the sender, or whom `author` names', () => {
    const authorOf = (author: string, user: JsonObject) =>
      onlyEvent(read({ comment: { body: '@agent look', user } }, undefined, { author })).author;
    expect(authorOf('comment.user.id', { id: 12 })).toEqual({ id: '12', name: 'ada' });
    expect(authorOf('comment.user.id', { id: 13 })).toEqual({ id: '13', name: '13' });
    expect(authorOf('comment.user.id', {})).toBeNull();
  });

  test('is left out where the payload lacks it', () => {
    const bare = { action: undefined, issue: {}, user: null, comment: { body: 5 } };
    expect(onlyEvent(read(bare as unknown as JsonObject, { 'x-event': 'push' }))).toMatchObject({
      type: 'push',
      externalId: null,
      sender: null,
      text: null,
      title: null,
      url: null,
    });
  });

  test('of places with | between them the first counts that has a value', () => {
    const options = { externalId: '{project}#{pull.number|issue.number}', title: 'pull.title|issue.title' };
    const at = (changes: JsonObject) => onlyEvent(read(changes, undefined, options));
    expect(at({})).toMatchObject({ externalId: 'generic:Bug_tracker:shop#7', title: 'Crash' });
    const pull = { pull: { number: 8, title: 'Fix' } };
    expect(at(pull)).toMatchObject({ externalId: 'generic:Bug_tracker:shop#8', title: 'Fix' });
    expect(at({ issue: {} })).toMatchObject({ externalId: null, title: null });
    const { authorOf } = shaped({ ...settings, ...options });
    expect(authorOf(payload, ['pull', 'title'])).toBe('ada');
    expect(authorOf(payload, ['issue', 'title'])).toBe('ada');
    expect(generic.configure?.({ externalId: 'a||b' })).toMatchObject({ ok: false });
  });

  test('is new text on the events that are named, and on no other', () => {
    expect(onlyEvent(read({ action: 'edited' })).text).toBeNull();
    expect(onlyEvent(read({ action: 'submitted' }, { 'x-event': 'review' })).text).toBe('@agent look');
  });

  test('has no person behind it where neither sender nor text is named', () => {
    const alert = onlyEvent(shaped({}).parse(request(json({}))));
    expect(alert).toMatchObject({ type: 'event', sender: { kind: 'system' } });
    const unknown = shaped({ text: 'text', sender: 'by' }).parse(request(json({ text: 'x' })));
    expect(onlyEvent(unknown).sender).toBeNull();
  });

  test('a link is a web address', () => {
    expect(onlyEvent(read({ issue: { link: 'javascript:alert(1)' } })).url).toBeNull();
  });

  test('the words of a person are theirs', () => {
    const { authorOf } = shaped(settings);
    expect(authorOf(payload, ['comment', 'body'])).toBe('ada');
    expect(authorOf(payload, ['action'])).toBeNull();
  });
});

describe('the same delivery again', () => {
  const keys = (settings: JsonObject, payload: JsonObject, headers = {}) =>
    keysOf(shaped(settings).parse(request(json(payload), headers)));

  test('is known by its bytes where the id can be changed, or where there is none', () => {
    const settings = { deliveryId: 'header:x-id' };
    expect(keys(settings, { a: 1 }, { 'x-id': '1' })).toEqual(keys(settings, { a: 1 }, { 'x-id': '2' }));
    expect(keys(settings, { a: 1 })).not.toEqual(keys(settings, { a: 2 }));
    expect(keys({}, { a: 1 })).toHaveLength(1);
  });

  test('with a signed time the same bytes may come again later', () => {
    const timed = { timestamp: 'header:x-time', signedContent: '{timestamp}.{body}' };
    expect(keys(timed, {}, { 'x-time': '1' })).not.toEqual(keys(timed, {}, { 'x-time': '2' }));
  });

  test('is known by a signed id alone', () => {
    expect(keys(STANDARD, {}, { 'webhook-id': 'a', 'webhook-timestamp': '1' })).toEqual([]);
    expect(keys({ deliveryId: 'meta.id' }, { meta: { id: 'e1' } })).toEqual(['id:e1']);
  });

  test('is known by what the settings call unique', () => {
    expect(keys({ uniqueBy: '{group}:{status}' }, { group: 'g', status: 'firing' })).toEqual([
      'key:g:firing',
    ]);
  });

  test('a token proves no bytes, so that the same again is news', () => {
    expect(keys({ scheme: 'token' }, {})).toEqual([]);
  });
});

test('what an editor offers in defineProvider is what is accepted when it runs', () => {
  expectTypeOf<SignatureSettings>().toExtend<z.input<typeof signatureSchema>>();
  expectTypeOf<keyof SignatureSettings>().toEqualTypeOf<keyof z.input<typeof signatureSchema>>();
});

describe.each([
  ['without settings', {}],
  ['like Standard Webhooks', STANDARD],
  ['like Stripe', STRIPE],
  ['with a key pair', { scheme: 'ed25519', signedContent: '{timestamp}{body}', timestamp: 'header:x-time' }],
  ['with a token', { scheme: 'token', header: 'x-token' }],
  ['with basic auth', { scheme: 'basic' }],
  ['with the time in the payload', { header: 'x-sig', timestamp: 'sentAt', timestampUnit: 'ms' }],
  [
    'with every place named',
    {
      header: 'x-sig',
      deliveryId: 'meta.id',
      eventType: '{header:x-event}.{action}',
      externalId: '{project.key}#{issue.id}',
      sender: 'user.id',
      text: 'comment.body',
      title: 'issue.title',
      url: 'issue.url',
      uniqueBy: '{issue.id}:{meta.id}',
    },
  ],
] as const)('%s it keeps the contract', (_, settings) => {
  test.each(providerContract(generic, { options: settings }).map((check) => [check.name, check] as const))(
    '%s',
    (_, check) => check.run(),
  );
});

function context(value: string) {
  const [secret] = secretsOf(value);
  if (secret === undefined) throw new Error('no secret');
  return { type: 'x', secret: secret.value, deliveryId: 'd', now: NOW };
}
