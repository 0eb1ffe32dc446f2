import { randomInt, randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { replay } from '../../src/deliveries/replay.ts';
import { RELAY_HEADER } from '../../src/tunnels/relay.ts';
import type { Delivery, JsonObject, OutgoingRequest, Task, Trust } from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { providerNamed } from '../support/providers.ts';

/*
 * Whose word decides what, as one table: each way to decide × why the delivery is believed × who wrote it. A new trust level
 * or way to decide is a new row here. The requests come over HTTP, but for those that a person replays from a file.
 */

const apis = apisForFile();

const TRUSTS: readonly Trust[] = ['verified', 'operator', 'unverified'];
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
  /** The right outcome. Left out: only a member decides, and never by what was not verified. */
  readonly right?: (trust: Trust, who: Who) => string;
}

const statusWas = (from: string, to: string) => (_: Delivery, tasks: readonly Task[]) => {
  const statuses = tasks.map(({ status }) => status);
  return statuses.join() === to ? 'done' : statuses.join() === from ? 'nothing' : statuses.join();
};
/** Triggers fire on what happens, whoever did it: the trust and the sender decide how far their task gets. */
const made = (_: Delivery, tasks: readonly Task[]) =>
  tasks.map(({ status, trust }) => (trust === 'unverified' ? 'never runs' : status)).join() || 'nothing';
const byTrigger = (trust: Trust, who: Who) =>
  trust === 'unverified' ? 'never runs' : who === 'member' ? 'queued' : 'waiting_approval';

const WAYS: Readonly<Record<string, Way>> = {
  command: {
    before: null,
    provider: 'github',
    type: 'issue_comment.created',
    text: '@agent analyze it',
    outcome: (_, tasks) => (tasks.some(({ status }) => status === 'queued') ? 'done' : 'nothing'),
  },
  'default command without a prefix': {
    before: null,
    provider: 'github',
    type: 'issues.opened',
    text: 'It fails',
    outcome: (_, tasks) => (tasks.some(({ status }) => status === 'queued') ? 'done' : 'nothing'),
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

async function send(scene: Scene, way: Pick<Way, 'provider' | 'type' | 'text'>, trust: Trust, who: Who) {
  const { engine, url } = scene;
  const { signed, path } = requestOf(scene, way, who);
  if (trust === 'operator') {
    const request = { ...signed, query: '' };
    const source = { deliveryId: null, webhookName: way.provider, request, trust } as const;
    return (await replay(engine.context, engine.queue, source, false)).delivery;
  }
  const { headers, body } = trust === 'unverified' ? rewritten(signed, engine.context.relayKey) : signed;
  const answer = await fetch(url + path, { method: 'POST', headers, body: Buffer.from(body) });
  return workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
}

const rows = Object.entries(WAYS).flatMap(([name, way]) =>
  TRUSTS.flatMap((trust) => WHO.map((who) => ({ name, way, trust, who }))),
);

beforeAll(() => expect(rows).toHaveLength(Object.keys(WAYS).length * TRUSTS.length * WHO.length));

test('F1: which sender decides what, by each way and trust', async () => {
  const yaml = `credentials: { github: { tokenEnv: TOKEN, baseUrl: '${apis().url}' } }\n${YAML}`;
  const engine = await startEngine({ yaml, env: { TOKEN: 'a-token' } });
  const url = await openDoor(engine);
  const cells = rows.map(async ({ name, way, trust, who }, index) => {
    const scene = { engine, url, issue: 1_000 + index };
    const cell = `${name} × ${trust} × ${who}`;
    const before =
      way.before === null
        ? null
        : await send(
            scene,
            { provider: 'github', type: 'issue_comment.created', text: way.before },
            'verified',
            'member',
          );
    const delivery = await send(scene, way, trust, who);
    expect(delivery.trust, cell).toBe(trust);
    const tasks = engine.context.store.tasks({ deliveryId: before?.id ?? delivery.id });
    const decides = trust !== 'unverified' && who === 'member' ? 'done' : 'nothing';
    const right = way.right?.(trust, who) ?? decides;
    expect.soft(way.outcome(delivery, tasks), `${cell}: ${delivery.reason}`).toBe(right);
  });
  await Promise.all(cells);
});
