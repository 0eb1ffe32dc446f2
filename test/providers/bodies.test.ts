import { describe, expect, test } from 'vitest';
import { readRequest } from '../../src/deliveries/rules/read-request.ts';
import { generic } from '../../src/providers/generic/index.ts';
import type { Headers, JsonObject, JsonValue, Parsed, Webhook } from '../../src/types.ts';
import { LINEAR } from '../support/growth.ts';

/** What a webhook of `generic` with these options reads. */
async function read(
  options: JsonObject,
  headers: Headers,
  body: string | Uint8Array,
  query = '',
): Promise<Parsed> {
  const configured = generic.configure?.(options);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  const webhook = { name: 'w', provider: configured.provider, commandPrefix: '@agent', options } as Webhook;
  return readRequest(webhook, { headers, query, body: Buffer.from(body) });
}

async function payloads(
  options: JsonObject,
  type: string | null,
  body: string | Uint8Array,
): Promise<unknown> {
  const parsed = await read(options, type === null ? {} : { 'content-type': type }, body);
  return parsed.ok ? parsed.events.map(({ payload }) => payload) : parsed.reason;
}

const utf16 = Buffer.from('﻿<a>ä</a>', 'utf16le');

describe('a body', () => {
  const cases: readonly (readonly [
    title: string,
    options: JsonObject,
    type: string | null,
    body: string | Uint8Array,
    payload: JsonValue,
  ])[] = [
    ['an object', {}, 'application/json', '{"a":1}', [{ a: 1 }]],
    ['D4: an object behind a byte order mark', {}, 'application/json', '﻿ {"a":1}', [{ a: 1 }]],
    [
      'JSON that is called a form (curl, Zabbix)',
      {},
      'application/x-www-form-urlencoded',
      '{"a":"b=c&d"}',
      [{ a: 'b=c&d' }],
    ],
    ['JSON without a content type', {}, null, '[{"a":1}]', [{ a: 1 }]],
    [
      'D3: a list is an event for each element',
      {},
      'application/json',
      ' [{"a":1},{"a":2}]',
      [{ a: 1 }, { a: 2 }],
    ],
    [
      'D3: a list of other values',
      {},
      'application/json',
      '[1,"b",[2]]',
      [{ value: 1 }, { value: 'b' }, { value: [2] }],
    ],
    [
      'D3: a list as one event',
      { events: 'one' },
      'application/json',
      '[{"a":1},{"a":2}]',
      [{ items: [{ a: 1 }, { a: 2 }] }],
    ],
    [
      'a list inside the payload (LINE)',
      { eventsAt: 'events' },
      'application/json',
      '{"events":[{"a":1},{"a":2}],"to":"U1"}',
      [{ a: 1 }, { a: 2 }],
    ],
    ['an empty list', {}, 'application/json', '[]', []],
    [
      'a form with its JSON in a field',
      {},
      'application/x-www-form-urlencoded',
      'payload=%7B%22a%22%3A1%7D',
      [{ a: 1 }],
    ],
    [
      'a form without one',
      {},
      'application/x-www-form-urlencoded',
      'From=%2B1555&Body=hi+there&__proto__=x',
      [JSON.parse('{"From":"+1555","Body":"hi there","__proto__":"x"}')],
    ],
    [
      'a form whose field payload is a word',
      {},
      'application/x-www-form-urlencoded; charset=utf-8',
      'payload=12kg',
      [{ payload: '12kg' }],
    ],
    [
      'a form with a field that comes twice',
      {},
      'application/x-www-form-urlencoded',
      'to=a&to=b',
      [{ to: ['a', 'b'] }],
    ],
    ['text', {}, 'text/plain; charset=iso-8859-1', Buffer.from('caf\xe9', 'latin1'), [{ text: 'café' }]],
    ['text by the setting, without a type', { body: 'text' }, null, '{"a":', [{ text: '{"a":' }]],
    ['nothing', {}, null, '', [{}]],
    [
      'XML',
      {},
      'application/xml',
      '<?xml version="1.0"?><!-- > --><job id="7"><name>a &lt;b&gt; &#65;</name><step>1</step><step n="2">x</step></job>',
      [{ job: { _id: '7', name: 'a <b> A', step: ['1', { _n: '2', _text: 'x' }] } }],
    ],
    [
      'XML with a page in CDATA',
      {},
      'text/xml',
      '<a><![CDATA[<!DOCTYPE html> &amp;]]></a>',
      [{ a: '<!DOCTYPE html> &amp;' }],
    ],
    [
      'SOAP',
      {},
      'application/soap+xml',
      '<s:Envelope xmlns:s="u"><s:Body><id>1</id></s:Body></s:Envelope>',
      [{ 's:Envelope': { '_xmlns:s': 'u', 's:Body': { id: '1' } } }],
    ],
    ['XML in UTF-16 by its type', {}, 'text/xml; charset=utf-16', utf16, [{ a: 'ä' }]],
  ];
  test.each(cases)('%s', async (_, options, type, body, payload) => {
    expect(await payloads(options, type, body)).toEqual(payload);
  });

  const multipart = [
    '--x',
    'Content-Disposition: form-data; name="from"',
    '',
    'ada@example.com',
    '--x',
    'Content-Disposition: form-data; name="file"; filename="a.png"',
    'Content-Type: image/png',
    '',
    'PNG--x\r\n',
    '--x',
    'Content-Disposition: form-data; name="to"',
    '',
    'a',
    '--x',
    'Content-Disposition: form-data; name="to"',
    '',
    'ü',
    '--x--',
    '',
  ].join('\r\n');

  test('multipart fields, and of a file its name, type and size', async () => {
    expect(await payloads({}, 'multipart/form-data; boundary=x', multipart)).toEqual([
      {
        from: 'ada@example.com',
        file: { filename: 'a.png', contentType: 'image/png', size: 8 },
        to: ['a', 'ü'],
      },
    ]);
  });

  test('multipart with the event as JSON in one field (Plex)', async () => {
    const body =
      '--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{"event":"media.play"}\r\n--x--\r\n';
    expect(await payloads({}, 'multipart/form-data; boundary=x', body)).toEqual([{ event: 'media.play' }]);
  });

  const refused: readonly (readonly [
    title: string,
    options: JsonObject,
    type: string | null,
    body: string | Uint8Array,
    reason: RegExp,
  ])[] = [
    ['words that are no JSON', {}, 'application/json', 'hello', /not valid JSON/],
    ['words without a type', {}, null, 'hello', /not valid JSON/],
    ['nothing where JSON is wanted', { body: 'json' }, null, '', /ends too early/],
    ['bad percent signs', {}, 'application/x-www-form-urlencoded', 'a=%zz', /not UTF-8 in percent encoding/],
    ['1,001 fields', {}, 'application/x-www-form-urlencoded', 'a=b&'.repeat(1_001), /more than 1000 fields/],
    [
      'text in another charset than it says',
      {},
      'text/plain; charset=utf-8',
      Buffer.from('caf\xe9', 'latin1'),
      /charset/,
    ],
    ['XML that is not closed', {}, 'application/xml', '<a><b></a>', /not valid XML in line 1/],
    [
      'XML with a document type',
      {},
      'application/xml',
      '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
      /document type/,
    ],
    [
      'XML with a document type behind a comment',
      {},
      'application/xml',
      '<!-- > --><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      /document type/,
    ],
    ['XML that names a prototype', {}, 'application/xml', '<a><__proto__>x</__proto__></a>', /not valid XML/],
    ['XML of 200 levels', {}, 'application/xml', '<a>'.repeat(200) + '</a>'.repeat(200), /XML|nested/],
    ['XML with two roots', {}, 'application/xml', '<a/><b/>', /not one root/],
    ['XML over 1 MB', {}, 'application/xml', `<a>${'x'.repeat(1024 * 1024)}</a>`, /larger than 1024 KB/],
    [
      'XML in another charset',
      {},
      'application/xml',
      '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
      /ISO-8859-1/,
    ],
    ['multipart without a boundary', {}, 'multipart/form-data', '--x', /multipart body cannot be read/],
    [
      'multipart with a part that has no name',
      {},
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data\r\n\r\nb\r\n--x--\r\n',
      /a part of the multipart body has no name/,
    ],
    [
      'multipart that ends too early',
      {},
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
      /multipart body cannot be read/,
    ],
    [
      '1,001 events',
      {},
      null,
      JSON.stringify(Array.from({ length: 1_001 }, () => 1)),
      /more than 1000 events/,
    ],
    ['a list that is not there', { eventsAt: 'events' }, null, '{}', /events is no list/],
  ];
  test.each(refused)('is unparsed with a reason: %s', async (_, options, type, body, reason) => {
    expect(await payloads(options, type, body)).toMatch(reason);
  });

  test.each([
    ['XML', 'application/xml', (n: number) => `<r>${'<a k="v">t</a>'.repeat(n)}</r>`],
    [
      'XML with comments that are not closed',
      'application/xml',
      (n: number) => `<r>${'<!-- '.repeat(n)}</r>`,
    ],
    ['a form', 'application/x-www-form-urlencoded', (n: number) => `a=${'%41'.repeat(n)}`],
    [
      'multipart',
      'multipart/form-data; boundary=x',
      (n: number) =>
        `--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n${'\r\n--'.repeat(n)}\r\n--x--\r\n`,
    ],
  ])('takes time that grows with its length: %s', async (_, type, make) => {
    const shortest = async (n: number) => {
      const body = make(n);
      const times: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const from = process.cpuUsage();
        await payloads({}, type, body);
        const { user, system } = process.cpuUsage(from);
        times.push(user + system);
      }
      return Math.min(...times);
    };
    const short = Math.max(await shortest(500), 2_000);
    expect((await shortest(2_000)) / short).toBeLessThan(LINEAR);
  });
});

describe('what makes a list unique', () => {
  const options = { uniqueBy: 'id' };
  const keys = async (list: JsonValue) => {
    const parsed = await read(options, {}, JSON.stringify(list));
    return parsed.ok ? parsed.semanticKeys : parsed.reason;
  };

  test('all its elements together, so that a list with a new one is no duplicate', async () => {
    const [both] = await keys([{ id: 1 }, { id: 2 }]);
    expect(both).toMatch(/^key:/);
    expect(await keys([{ id: 1 }, { id: 2 }])).toEqual([both]);
    expect(await keys([{ id: 2 }, { id: 3 }])).not.toEqual([both]);
    expect(await keys([{ id: 1 }])).toEqual(['key:1']);
    expect(await keys([{ id: 1 }, {}])).toEqual([]);
  });
});

describe('CloudEvents', () => {
  const shape = { shape: 'cloudevents' };
  const event = {
    specversion: '1.0',
    id: 'A-1',
    source: '/cloud/storage',
    type: 'storage.object.finalize',
    subject: 'o.txt',
    time: '2026-01-01T00:00:00Z',
  };
  const seen = async (headers: Headers, body: string) => {
    const parsed = await read(shape, headers, body);
    return parsed.ok
      ? {
          keys: parsed.semanticKeys,
          events: parsed.events.map(({ type, externalId, title, payload }) => ({
            type,
            externalId,
            title,
            data: payload.data,
          })),
        }
      : parsed.reason;
  };
  const expected = (data: JsonValue) => ({
    keys: ['key:/cloud/storage A-1'],
    events: [
      { type: 'storage.object.finalize', externalId: 'generic:w:/cloud/storage#o.txt', title: 'o.txt', data },
    ],
  });
  const binary = {
    'ce-specversion': '1.0',
    'ce-id': 'A-1',
    'ce-source': '/cloud/storage',
    'ce-type': 'storage.object.finalize',
    'ce-subject': 'o%2Etxt',
    'content-type': 'application/json',
  };

  test('structured, binary and with data in base64 are the same event', async () => {
    const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    expect(await seen(structured, JSON.stringify({ ...event, data: { size: 4 } }))).toEqual(
      expected({ size: 4 }),
    );
    const encoded = Buffer.from('{"size":4}').toString('base64');
    expect(await seen(structured, JSON.stringify({ ...event, data_base64: encoded }))).toEqual(
      expected({ size: 4 }),
    );
    expect(await seen(binary, '{"size":4}')).toEqual(expected({ size: 4 }));
    expect(await seen(binary, '[1]')).toEqual(expected([1]));
    expect(await seen({ ...binary, 'content-type': 'text/plain' }, 'hi')).toEqual(expected({ text: 'hi' }));
  });

  test('a batch is an event for each', async () => {
    const batch = [event, { ...event, id: 'A-2', type: 'storage.object.delete' }];
    const found = await seen({ 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify(batch));
    expect(found).toMatchObject({
      events: [{ type: 'storage.object.finalize' }, { type: 'storage.object.delete' }],
    });
  });

  test('without its attributes it is unparsed', async () => {
    expect(await seen({}, '{"id":"1"}')).toMatch(/no CloudEvent/);
    expect(await seen({ ...binary, 'ce-type': '' }, '{}')).toMatch(/no CloudEvent/);
  });

  test('its samples are CloudEvents, and its settings refuse others of the same meaning', () => {
    const configured = generic.configure?.(shape);
    const provider = configured?.ok === true ? configured.provider : generic;
    expect(provider.samples.map(({ type }) => type)).toEqual(['comment.created', 'item.updated']);
    expect(generic.configure?.({ ...shape, events: 'one' })).toMatchObject({ ok: false });
  });
});
