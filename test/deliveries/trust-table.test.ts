import { randomInt, randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { replay } from '../../src/deliveries/replay.ts';
import { RELAY_HEADER } from '../../src/tunnels/relay.ts';
import {
  type Delivery,
  type JsonObject,
  type OutgoingRequest,
  type Task,
  TRUSTS,
  type Trust,
} from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { providerNamed } from '../support/providers.ts';

/*
 * Whose word decides what, as one table: each way to decide × why the delivery is believed × who wrote it. A new trust level
 * or way to decide is a new row here. The requests come over HTTP, but for those that a person replays from a file.
 */

const apis = apisForFile();

/** `trusted`: fetched, for a webhook that says `trustFetched: true`. */
const LEVELS = [...TRUSTS, 'trusted'] as const;
type Level = (typeof LEVELS)[number];
const trustOf = (level: Level): Trust => (level === 'trusted' ? 'fetched' : level);
const WHO = ['member', 'stranger', 'bot', 'unknown'] as const;
type Who = (typeof WHO)[number];

/** Tasks of the thread that the deed is about, before it is done. */
interface Scene {
  readonly engine: TestEngine;
  readonly url: string;
  readonly issue: number;
}

interface Way {
  /** What a member does before, as verified; null: nothing. */
  readonly before: string | null;
  readonly provider: 'github' | 'slack';
  readonly type: string;
  readonly text: string;
  /** What came of it: `done` if it decided, `held` if it made a task that waits for approval, `nothing`. */
  readonly outcome: (delivery: Delivery, tasks: readonly Task[]) => string;
  /** The right outcome. Left out: only a member decides, and never by what was not verified, or was fetched. */
  readonly right?: (level: Level, who: Who) => string;
}

const statusWas = (from: string, to: string) => (_: Delivery, tasks: readonly Task[]) => {
  const statuses = tasks.map(({ status }) => status);
  return statuses.join() === to ? 'done' : statuses.join() === from ? 'nothing' : statuses.join();
};
/** Triggers fire on what happens, whoever did it: the trust and the sender decide how far their task gets. */
const made = (_: Delivery, tasks: readonly Task[]) =>
  tasks.map(({ status, trust }) => (trust === 'unverified' ? 'never runs' : status)).join() || 'nothing';
const byTrigger = (level: Level, who: Who) =>
  level === 'unverified'
    ? 'never runs'
    : who === 'member' && level !== 'fetched'
      ? 'queued'
      : 'waiting_approval';
const byText = (level: Level, who: Who) =>
  who !== 'member' || level === 'unverified' ? 'nothing' : level === 'fetched' ? 'held' : 'done';
/** A posted question can't be taken back, so that it waits for `hookctl replay`, too. */
const asked = (level: Level, who: Who) => (byText(level, who) === 'done' ? 'waiting_answer' : 'nothing');

const byCommand = (_: Delivery, tasks: readonly Task[]) => {
  const statuses = tasks.map(({ status }) => status);
  return statuses.includes('queued') ? 'done' : statuses.includes('waiting_approval') ? 'held' : 'nothing';
};

const WAYS: Readonly<Record<string, Way>> = {
  command: {
    before: null,
    provider: 'github',
    type: 'issue_comment.created',
    text: '@agent analyze it',
    outcome: byCommand,
    right: byText,
  },
  'default command without a prefix': {
    before: null,
    provider: 'github',
    type: 'issues.opened',
    text: 'It fails',
    outcome: byCommand,
    right: byText,
  },
  approve: {
    before: '@agent fix it',
    provider: 'github',
    type: 'issue_comment.created',
    text: '@agent approve',
    outcome: statusWas('waiting_approval', 'queued'),
  },
  stop: {
    before: '@agent analyze it',
    provider: 'github',
    type: 'issue_comment.created',
    text: '@agent stop',
    outcome: statusWas('queued', 'cancelled'),
    right: (level, who) => (who === 'member' && level !== 'unverified' ? 'done' : 'nothing'),
  },
  'a question in a thread': {
    before: null,
    provider: 'github',
    type: 'issue_comment.created',
    text: '@agent question',
    outcome: made,
    right: asked,
  },
  answer: {
    before: '@agent question',
    provider: 'github',
    type: 'issue_comment.created',
    text: 'main, please',
    outcome: statusWas('waiting_answer', 'queued'),
  },
  trigger: {
    before: null,
    provider: 'github',
    type: 'issues.labeled',
    text: '@agent analyze it',
    outcome: made,
    right: byTrigger,
  },
  button: {
    before: null,
    provider: 'slack',
    type: 'block_actions',
    text: '@agent analyze it',
    outcome: made,
    right: byTrigger,
  },
};

const YAML = `
webhooks:
  github:
    allowUnverifiable: true
    requirePrefix: false
    defaultCommand: other
    events: [issues.opened]
    commands:
      - { name: analyze, template: Analyze }
      - { name: other, template: Other }
      - { name: fix, template: Fix, requiresApproval: true }
      - { name: question, action: ask, template: 'Which branch?' }
      - { trigger: issues.labeled, template: Look }
  slack:
    allowUnverifiable: true
    commands: [{ name: analyze }, { trigger: block_actions, template: Look }]
`;

function by(who: Who, provider: Way['provider'], payload: JsonObject): JsonObject {
  if (provider === 'slack') {
    const user = payload.user as JsonObject;
    if (who === 'member') return payload;
    if (who === 'unknown') return { ...payload, user: {} };
    return { ...payload, user: { ...user, id: `U0${who.toUpperCase()}`, team_id: 'T0ELSEWHERE' } };
  }
  if (who === 'member') return payload;
  const user = {
    id: 900,
    login: who === 'bot' ? 'helper[bot]' : 'mallory',
    type: who === 'bot' ? 'Bot' : 'User',
  };
  const written = { user, author_association: 'NONE' };
  const at = payload.comment === undefined ? 'issue' : 'comment';
  const changed = { ...payload, [at]: { ...(payload[at] as JsonObject), ...written }, sender: user };
  return who === 'unknown' ? { ...changed, sender: undefined } : changed;
}

function requestOf(
  { engine, issue }: Pick<Scene, 'engine' | 'issue'>,
  way: Pick<Way, 'provider' | 'type' | 'text'>,
  who: Who,
): { readonly signed: OutgoingRequest; readonly path: string } {
  const provider = providerNamed(way.provider);
  const webhook = engine.context.snapshot().byName.get(way.provider);
  const sample = provider?.samples.find(({ type }) => type === way.type);
  const secret = webhook?.secrets[0]?.value;
  if (provider === null || sample === undefined || secret === undefined) throw new Error('no such sample');
  const now = new Date();
  const built = sample.build({ text: way.text, now, nextNumber: () => randomInt(2 ** 40) });
  const payload = by(who, way.provider, built);
  const about =
    payload.issue === undefined ? {} : { issue: { ...(payload.issue as JsonObject), number: issue } };
  const body = Buffer.from(JSON.stringify({ ...payload, ...about }));
  const signed = provider.sign(body, { type: way.type, secret, deliveryId: randomUUID(), now });
  return { signed, path: webhook?.endpoint ?? '' };
}

/** As a relay of ours that wrote the body anew would pass it on: the signature proves nothing, the key is right. */
function rewritten({ headers, body }: OutgoingRequest, relayKey: string): OutgoingRequest {
  const text = JSON.stringify(JSON.parse(contentOf(body)), null, 1);
  const isForm = headers['content-type']?.includes('form') === true;
  const bytes = Buffer.from(isForm ? `payload=${encodeURIComponent(text)}` : text);
  return { headers: { ...headers, [RELAY_HEADER]: relayKey }, body: bytes };
}

function contentOf(body: Uint8Array): string {
  const text = Buffer.from(body).toString('utf8');
  return text.startsWith('payload=') ? (new URLSearchParams(text).get('payload') ?? '') : text;
}

async function send(scene: Scene, way: Pick<Way, 'provider' | 'type' | 'text'>, level: Level, who: Who) {
  const { engine, url } = scene;
  const { signed, path } = requestOf(scene, way, who);
  const trust = trustOf(level);
  const request = { ...signed, query: '' };
  if (trust === 'operator') {
    const source = { deliveryId: null, webhookName: way.provider, request, trust } as const;
    return (await replay(engine.context, engine.queue, source, false)).delivery;
  }
  if (trust === 'fetched' || trust === 'socket') {
    const webhook = engine.context.snapshot().byName.get(way.provider);
    if (webhook === undefined) throw new Error('no such webhook');
    const receipt = await receive(engine.context, webhook, request, trust);
    const { deliveryId: id, externalId, status, parsedDelivery } = receipt;
    if (status === 'pending')
      await engine.queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, parsedDelivery);
    return workedOff(engine, id);
  }
  const { headers, body } = trust === 'unverified' ? rewritten(signed, engine.context.relayKey) : signed;
  const answer = await fetch(url + path, { method: 'POST', headers, body: Buffer.from(body) });
  return workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
}

const rows = Object.entries(WAYS).flatMap(([name, way]) =>
  LEVELS.flatMap((level) => WHO.map((who) => ({ name, way, level, who }))),
);

beforeAll(() => expect(rows).toHaveLength(Object.keys(WAYS).length * LEVELS.length * WHO.length));

test('F1: which sender decides what, by each way and trust', async () => {
  const yaml = `credentials: { github: { tokenEnv: TOKEN, baseUrl: '${apis().url}' } }\n${YAML}`;
  const doorFor = async (text: string) => {
    const engine = await startEngine({ yaml: text, env: { TOKEN: 'a-token' } });
    return { engine, url: await openDoor(engine) };
  };
  const strict = await doorFor(yaml);
  const trusting = await doorFor(yaml.replaceAll('allowUnverifiable: true', '$&\n    trustFetched: true'));
  const cells = rows.map(async ({ name, way, level, who }, index) => {
    const { engine, url } = level === 'trusted' ? trusting : strict;
    const scene = { engine, url, issue: 1_000 + index };
    const cell = `${name} × ${level} × ${who}`;
    const before =
      way.before === null
        ? null
        : await send(
            scene,
            { provider: 'github', type: 'issue_comment.created', text: way.before },
            'verified',
            'member',
          );
    const delivery = await send(scene, way, level, who);
    expect(delivery.trust, cell).toBe(trustOf(level));
    const tasks = engine.context.store.tasks({ deliveryId: before?.id ?? delivery.id });
    const decides = byText(level, who) === 'done' ? 'done' : 'nothing';
    const right = way.right?.(level, who) ?? decides;
    expect.soft(way.outcome(delivery, tasks), `${cell}: ${delivery.reason}`).toBe(right);
  });
  await Promise.all(cells);
});
