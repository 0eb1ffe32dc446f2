import assert from 'node:assert/strict';
import { getPath, isJsonObject } from '../lib/json.ts';
import type { JsonValue, Parsed, Sample, WebhookEvent } from '../types.ts';
import { type ContractCheck, NOW, type Subject, secretsOf, TEXT, toJson } from './subject.ts';

/** What each sample has to be: signed, read, answered, and read without harm when any value is another. */
export function sampleChecks(subject: Subject): readonly ContractCheck[] {
  const { provider } = subject;
  const own = provider.samples.flatMap((sample) =>
    checksOf(subject, sample).map(({ name, run }) => ({ name: `${sample.type}: ${name}`, run })),
  );
  return [...own, { name: 'tells what to type into its web form', run: () => checkForm(subject) }];
}

function checksOf(subject: Subject, sample: Sample): readonly ContractCheck[] {
  const { provider } = subject;
  const request = () => subject.signed(toJson(subject.build(sample)), sample.type);
  return [
    {
      name: 'is signed so that it verifies',
      run() {
        const payload = subject.build(sample);
        // Senders write JSON as they like: spaces and line breaks are signed, too.
        for (const text of [JSON.stringify(payload), JSON.stringify(payload, null, 1)]) {
          const incoming = subject.signed(Buffer.from(text), sample.type);
          const verdict = provider.verify(incoming, secretsOf(subject.secret), NOW.getTime());
          assert.ok(verdict.ok && verdict.secretIndex === 0, JSON.stringify(verdict));
        }
      },
    },
    {
      name: 'parses to its type, with ids and text as they should be',
      run: () => checkEvent(subject, sample),
    },
    {
      name: 'is acknowledged with a 2xx',
      run() {
        const incoming = request();
        const { status } = provider.acknowledge?.(incoming, provider.parse(incoming)) ?? { status: 202 };
        assert.ok(status >= 200 && status < 300, `it is answered ${status}`);
      },
    },
    {
      name: 'has keys that stay the same for the same bytes, and are fresh for others',
      run: () => checkKeys(subject, sample),
    },
    {
      name: 'may have any value of another type: nothing throws, text stays text',
      run: () => checkTypes(subject, sample),
    },
    { name: 'has an author or none at every path', run: () => checkAuthors(subject, sample) },
  ];
}

function eventsOf(parsed: Parsed): readonly WebhookEvent[] {
  assert.ok(parsed.ok, parsed.ok ? '' : `it does not parse: ${parsed.reason}`);
  return parsed.events;
}

function checkEvent(subject: Subject, sample: Sample): void {
  const { provider } = subject;
  const events = eventsOf(provider.parse(subject.signed(toJson(subject.build(sample)), sample.type)));
  assert.equal(events[0]?.type, sample.type);
  for (const { externalId, sender, text, author } of events) {
    const mark = `${provider.name}:`;
    assert.ok(
      externalId === null || (externalId.startsWith(mark) && /^\S+$/.test(externalId)),
      `external id ${externalId}: expected ${mark}… in one word, or null`,
    );
    assert.notEqual(sender?.id, '', 'the sender has an empty id');
    assert.ok(text === null || text === '' || text === TEXT, `the text is not as it was written: ${text}`);
    assert.ok(text !== null || author === null, 'there is an author, but no text');
    assert.ok(
      text === null || sender === null || author?.id === sender.id,
      `the sample's text is by ${author?.id ?? 'no one that it names'}, expected its sender ${sender?.id}`,
    );
  }
}

function checkKeys(subject: Subject, sample: Sample): void {
  const { provider } = subject;
  const keysOf = (body: Uint8Array) => {
    const parsed = provider.parse(subject.signed(body, sample.type));
    if (!parsed.ok) return [];
    const { semanticKeys, bytesKey } = parsed;
    return bytesKey === undefined ? semanticKeys : [...semanticKeys, bytesKey()];
  };
  const [first, second] = [toJson(subject.build(sample)), toJson(subject.build(sample))];
  assert.deepEqual(keysOf(first), keysOf(first), 'the same bytes have other keys the second time');
  const shared = keysOf(first).filter((key) => keysOf(second).includes(key));
  assert.deepEqual(shared, [], 'two different deliveries count as one');
}

const STRANGE: readonly unknown[] = [null, 0, '', 'x', 'constructor', true, [], {}, [null], { toString: 1 }];

function checkTypes(subject: Subject, sample: Sample): void {
  const payload = subject.build(sample);
  for (const path of pathsOf(payload)) {
    for (const value of STRANGE) {
      const body = toJson(replaceAt(payload, path, value));
      const parsed = subject.provider.parse(subject.signed(body, sample.type));
      for (const event of parsed.ok ? parsed.events : []) {
        const { type, text } = event;
        const where = `with ${JSON.stringify(value)} at ${path.join('.')}`;
        assert.equal(typeof type, 'string', `the type is no text ${where}`);
        assert.ok(text === null || typeof text === 'string', `the text is no text ${where}`);
        subject.provider.reply?.place(event);
      }
    }
  }
}

function checkAuthors(subject: Subject, sample: Sample): void {
  const payload = subject.build(sample);
  for (const path of [...pathsOf(payload), [], ['__proto__', 'x'], ['a', 'b', 'c']]) {
    const author = subject.provider.authorOf(payload, path);
    assert.ok(author === null || typeof author === 'string', `the author at ${path.join('.')} is no text`);
  }
}

function checkForm({ provider }: Subject): void {
  const url = 'https://x.test/webhooks/y';
  const fields = provider.formFields({
    url,
    secretCommand: 'hookctl webhook show y --show-secret',
    enterCommand: 'hookctl webhook edit y --secret-stdin',
  });
  assert.ok(
    fields.some(({ value }) => value === url),
    'no field of the form has the URL',
  );
  assert.ok(
    fields.every(({ label, value }) => label !== '' && value !== ''),
    'a field of the form is empty',
  );
}

/** The path of every value, those of objects and lists themselves among them. */
function pathsOf(value: JsonValue | undefined, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.keys(value).flatMap((key) => pathsOf(getPath(value, [key]), [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function replaceAt(
  value: JsonValue | undefined,
  [key, ...rest]: readonly string[],
  replacement: unknown,
): unknown {
  if (key === undefined) return replacement;
  const changed = replaceAt(getPath(value, [key]), rest, replacement);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changed : item));
  return isJsonObject(value) ? { ...value, [key]: changed } : value;
}
