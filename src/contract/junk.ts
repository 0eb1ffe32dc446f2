import assert from 'node:assert/strict';
import type { RawRequest } from '../types.ts';
import { type ContractCheck, NOW, type Subject, secretsOf, toJson } from './subject.ts';

/** Anyone who finds the URL can post anything. */
export function junkChecks(subject: Subject): readonly ContractCheck[] {
  return [{ name: 'junk is refused or read, but never throws', run: () => checkJunk(subject) }];
}

function checkJunk(subject: Subject): void {
  const { provider, otherSecret } = subject;
  for (const incoming of junk(subject)) {
    assert.equal(
      provider.verify(incoming, secretsOf(otherSecret), NOW.getTime()).ok,
      false,
      'junk is accepted',
    );
    const parsed = provider.parse(incoming);
    assert.equal(typeof parsed.ok, 'boolean');
    provider.acknowledge?.(incoming, parsed);
    provider.answerUnsigned?.(incoming);
    provider.hint?.(incoming, secretsOf(otherSecret), NOW.getTime());
    provider.deliveryId(incoming.headers);
    provider.eventName(incoming.headers);
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined, 'a prototype was changed');
}

const TYPES = ['application/json', 'application/x-www-form-urlencoded; charset=x', '', 'multipart/form-data'];

/** Bodies that no provider sends, each as JSON, as a form, under no type and under a wrong one. */
function junk(subject: Subject): readonly RawRequest[] {
  const [first] = subject.provider.samples;
  const good = toJson(first === undefined ? {} : subject.build(first));
  const bodies = [
    new Uint8Array(),
    new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
    Uint8Array.from({ length: 256 }, (_, index) => (index * 167) % 256),
    good.slice(0, good.length / 2),
    ...[
      '[]',
      'null',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}',
      'payload=%7B%22__proto__%22%3A1%7D&command=%2Fx',
      'payload=%FF&&&=&=x',
      '__proto__=1&command=/x&text=%00',
      `{"a":${'['.repeat(100_000)}`,
    ].map((text) => Buffer.from(text)),
  ];
  const known = knownHeaders(subject, good, first?.type ?? 'x');
  const inherited = ['constructor', 'toString', '__proto__', 'hasOwnProperty'].map((word) => ({
    body: good,
    query: '',
    headers: Object.fromEntries(Object.keys(known).map((header) => [header, word])),
  }));
  const requests = bodies.flatMap((body) =>
    TYPES.flatMap((type) => [
      { body, query: '', headers: { 'content-type': type } },
      { body, query: '', headers: { ...known, 'content-type': type } },
    ]),
  );
  return [...requests, ...inherited];
}

function knownHeaders(subject: Subject, body: Uint8Array, type: string): RawRequest['headers'] {
  return subject.signed(body, type).headers;
}
