import { beforeAll, expect, test } from 'vitest';
import type { DeliveryStatus } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { type Example, examples, type Json, type Payload, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, type Server, serverForFile } from '../support/server.ts';

/** The one action of each event on which a person writes the text that it carries. */
const WRITTEN: Readonly<Record<string, string>> = {
  issue_comment: 'created',
  commit_comment: 'created',
  discussion_comment: 'created',
  pull_request_review_comment: 'created',
  pull_request_review: 'submitted',
  issues: 'opened',
  pull_request: 'opened',
  discussion: 'created',
};
/** Where people write: also what an event merely mentions. */
const TEXTS = ['body', 'title', 'description', 'message', 'comment_text'];
const AUTHORED = ['comment', 'review', 'issue', 'pull_request', 'discussion'];
const AT_ONCE = 20;

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
});

interface Posted extends Example {
  readonly sent: string;
  readonly id: string;
  readonly status: number;
}

async function postAll(all: readonly Example[]): Promise<readonly Posted[]> {
  const posted: Posted[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const batch = all.slice(at, at + AT_ONCE).map(async (example) => {
      const sent = JSON.stringify(example.payload, null, 1);
      const { id, status } = await signedPost(server.url, sent, { event: example.event });
      return { ...example, sent, id, status };
    });
    posted.push(...(await Promise.all(batch)));
  }
  return posted;
}

function withCommand(value: Json): Json {
  if (Array.isArray(value)) return value.map(withCommand);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, Json] => {
    if (key === 'author_association') return [key, 'OWNER'];
    const isText = TEXTS.includes(key) && (typeof inner === 'string' || inner === null);
    return [key, isText ? '@agent analyze' : withCommand(inner)];
  });
  return Object.fromEntries(entries);
}

/** As GitHub sends it: who writes a text is the sender of the event. */
function sentByAuthor(payload: Payload): Payload {
  const author = AUTHORED.map((key) => payload[key] as Payload | undefined).find((place) => place?.user);
  return author?.user ? { ...payload, sender: author.user } : payload;
}

/** Apart from all others: of two that are the same one is a duplicate, and many about one issue look like a loop. */
function inOwnRepository(payload: Payload, index: number): Payload {
  const repository = payload.repository as Payload | undefined;
  // A comment's id makes it the same one in whatever repository.
  const written = AUTHORED.filter((key) => typeof payload[key] === 'object' && payload[key] !== null);
  const ids = written.map((key) => [key, { ...(payload[key] as Payload), id: 1_000_000 + index }]);
  const apart = { ...payload, ...Object.fromEntries(ids), example: index };
  return repository === undefined
    ? apart
    : { ...apart, repository: { ...repository, id: index + 1, full_name: `octo/${index}` } };
}

test('every published example is answered 2xx and stored byte for byte', async () => {
  // Each in a repository of its own: the same result of a check, told twice, is one delivery and a duplicate.
  const all = examples().map(({ event, payload }, index) => ({
    event,
    payload: inOwnRepository(payload, 1_000 + index),
  }));
  expect(all).toHaveLength(329);
  const posted = await postAll(all);
  expect(posted.filter(({ status }) => status < 200 || status > 299)).toEqual([]);
  const differing = readStore(sandbox, (reader) =>
    posted.filter(({ id, sent }) => {
      const kept = reader.body(reader.delivery(id)?.duplicateOf ?? id);
      return Buffer.from(kept ?? []).toString('utf8') !== sent;
    }),
  );
  expect(differing.map(({ event, id }) => `${event} ${id}`)).toEqual([]);
});

test('of all examples that mention a command, exactly those that wrote it make one task', async () => {
  const all = examples().map(({ event, payload }, index) => ({
    event,
    payload: inOwnRepository(sentByAuthor(withCommand(payload) as Payload), index),
  }));
  const posted = await postAll(all);
  const rows = await eventually('all to be worked off', () =>
    readStore(sandbox, (reader) => {
      const found = posted.map((each) => ({
        ...each,
        delivery: reader.delivery(each.id),
        tasks: reader.tasks({ deliveryId: each.id }),
      }));
      return found.every(({ delivery }) => delivery?.status !== 'pending') && found;
    }),
  );
  const wrong = rows.filter(({ event, payload, delivery, tasks }) => {
    // A transferred issue is opened, too, but was written earlier.
    const isMoved = JSON.stringify(payload.changes ?? {}).includes('"old_issue"');
    const written = WRITTEN[event] !== undefined && payload.action === WRITTEN[event] && !isMoved;
    const status: DeliveryStatus = written ? 'processed' : 'ignored';
    return delivery?.status !== status || tasks.length !== (written ? 1 : 0) || !delivery.reason;
  });
  expect(wrong.map(({ event, payload, delivery }) => [event, payload.action, delivery?.reason])).toEqual([]);
  expect(rows.filter(({ tasks }) => tasks.length === 1).length).toBeGreaterThan(20);
});

test('GitHub’s published vector verifies', async () => {
  expect(SECRET).toBe("It's a Secret to Everybody");
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const { id, status } = await signedPost(server.url, 'Hello, World!', {
    headers: { 'x-hub-signature-256': signature },
  });
  // Verified, and then found to be no JSON: the bytes are kept all the same.
  expect(status).toBe(400);
  expect(readStore(sandbox, (reader) => reader.delivery(id))).toMatchObject({
    status: 'unparsed',
    trust: 'verified',
  });
});
