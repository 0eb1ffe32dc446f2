import { describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { readable } from '../../store/fixtures.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { type Random, randomOf } from '../../support/random.ts';
import { newHome, openHome } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const SEQUENCES = 300;
/** Sequences that go on at once in one store; their webhooks and keys have nothing in common. */
const AT_ONCE = 25;
const STEPS = 14;

type Status = 'pending' | 'ignored' | 'failed' | 'processed' | 'duplicate' | 'unparsed';

interface Known {
  readonly id: string;
  readonly webhook: string;
  readonly senderId: string | null;
  readonly keys: readonly string[];
  status: Status;
  duplicateOf: string | null;
  attempts: number;
  hasBody: boolean;
}

/** What the port promises about states and keys, in the plainest way: maps and scans. */
class Model {
  readonly deliveries: Known[] = [];
  /** Keys of settled deliveries, with their scope. */
  readonly kept = new Map<string, { readonly owner: Known; readonly acted: boolean }>();

  accept(delivery: Known): string | null {
    const owner = this.owner(delivery);
    if (owner !== null) Object.assign(delivery, { status: 'duplicate', duplicateOf: owner, hasBody: false });
    this.deliveries.push(delivery);
    if (delivery.status === 'ignored') this.#keep(delivery, false, []);
    return owner;
  }

  settle(id: string, status: Status, isTaskMade: boolean, claims: readonly string[]): boolean {
    const delivery = this.#named(id);
    if (delivery?.status !== 'pending') return false;
    delivery.status = status;
    this.#keep(delivery, status === 'processed' || isTaskMade, claims);
    return true;
  }

  postpone(id: string): void {
    const delivery = this.#named(id);
    if (delivery?.status === 'pending') delivery.attempts += 1;
  }

  requeue(id: string): boolean {
    const delivery = this.#named(id);
    if (delivery === undefined || !['failed', 'ignored'].includes(delivery.status)) return false;
    if (!delivery.hasBody || this.owner(delivery) !== null) return false;
    delivery.status = 'pending';
    delivery.attempts = 0;
    return true;
  }

  removeBody(id: string): number {
    const delivery = this.#named(id);
    if (delivery === undefined || delivery.status === 'pending' || !delivery.hasBody) return 0;
    delivery.hasBody = false;
    return 1;
  }

  holder(key: string): string | null {
    const kept = this.kept.get(`@ ${key}`);
    return kept?.acted === true ? kept.owner.id : null;
  }

  owner(delivery: Known): string | null {
    const found = delivery.keys.flatMap((key) =>
      [key, ...(key.startsWith('?') ? [key.slice(1)] : [])].flatMap(
        (each) => this.#ownerOf(delivery, each) ?? [],
      ),
    );
    return found.toSorted()[0] ?? null;
  }

  #ownerOf(delivery: Known, key: string): string | null {
    const scoped = scopedKey(delivery, key);
    const waiting = this.deliveries.find(
      (each) =>
        each.status === 'pending' &&
        each.id !== delivery.id &&
        !key.startsWith('@act:') &&
        each.keys.some((own) => scopedKey(each, own) === scoped),
    );
    if (waiting !== undefined) return waiting.id;
    const kept = this.kept.get(scoped);
    if (kept === undefined || kept.owner.id === delivery.id) return null;
    const isSent = delivery.senderId !== null && delivery.senderId === kept.owner.senderId;
    if (!kept.acted && isSent && delivery.webhook === kept.owner.webhook) return null;
    return kept.owner.id;
  }

  #keep(owner: Known, acted: boolean, claims: readonly string[]): void {
    const seals = owner.keys.filter((key) => key.startsWith('@seal:'));
    const bytes = seals.length > 0 ? seals : owner.keys.filter((key) => key.startsWith('body:'));
    for (const key of acted ? [...owner.keys, ...claims] : bytes) {
      const scoped = scopedKey(owner, key);
      if (this.kept.get(scoped)?.acted !== true) this.kept.set(scoped, { owner, acted });
    }
  }

  #named(id: string): Known | undefined {
    return this.deliveries.find((each) => each.id === id);
  }
}

function scopedKey({ webhook }: Known, key: string): string {
  return `${key.startsWith('@') ? '@' : webhook} ${key}`;
}

/** One sequence: each answer of the store is the model's, and so is what can be read in the end. */
async function run(store: Store, seed: number): Promise<readonly string[]> {
  const random = randomOf(seed);
  const model = new Model();
  const log: string[] = [];
  const wrong: string[] = [];
  const note = (what: string, isSame: boolean) => {
    log.push(what);
    if (!isSame) wrong.push(`seed ${seed}: ${log.join('; ')}`);
  };
  for (let step = 0; step < STEPS; step += 1) {
    const id = random.below(12) === 0 ? 'dlv-none' : (pickFrom(random, model.deliveries)?.id ?? 'dlv-none');
    switch (
      random.pick(['accept', 'accept', 'accept', 'settle', 'settle', 'requeue', 'postpone', 'remove'])
    ) {
      case 'accept': {
        const delivery = drawn(random, seed, step);
        const { status, webhook, senderId, keys } = delivery;
        const taken = await store.accept(
          newDelivery(delivery.id, {
            ...{ status: status === 'ignored' || status === 'unparsed' ? status : 'pending', webhook },
            ...{ senderDeliveryId: senderId, dedupeKeys: status === 'unparsed' ? [] : keys },
            settledAt: status === 'ignored' ? NOW : null,
          }),
        );
        const owner = model.accept(delivery);
        note(
          `accept ${delivery.id} ${status} ${webhook} ${senderId} ${keys} → ${taken.duplicateOf}`,
          taken.duplicateOf === owner && taken.status === delivery.status,
        );
        break;
      }
      case 'settle': {
        const status = random.pick(['processed', 'ignored', 'failed'] as const);
        const made = random.below(4) === 0 ? [taskOf(seed, step)] : [];
        const claims = random.below(4) === 0 ? [`@act:${random.below(2)}:${seed}`] : [];
        const effects = [
          ...made.map((task) => ({ kind: 'task' as const, ...task })),
          ...claims.map((key) => ({ kind: 'claim' as const, key })),
        ];
        const tasks = await store.recordOutcome(outcome(id, { status, effects }));
        const isActed = made.length > 0 || status === 'processed';
        const isDone = model.settle(id, status, made.length > 0, isActed ? claims : []);
        note(`settle ${id} ${status} ${made.length} ${claims}`, tasks.length === (isDone ? made.length : 0));
        break;
      }
      case 'requeue': {
        const isDone = await store.requeue(id);
        note(`requeue ${id} → ${isDone}`, isDone === model.requeue(id));
        break;
      }
      case 'postpone':
        await store.postpone(id, 'no answer', NOW);
        model.postpone(id);
        note(`postpone ${id}`, true);
        break;
      default: {
        const count = await store.removeBodies([id], NOW);
        note(`remove ${id} → ${count}`, count === model.removeBody(id));
      }
    }
  }
  for (const { id, status, duplicateOf, attempts, hasBody } of model.deliveries) {
    const row = store.delivery(id);
    const isSame = row?.status === status && row.duplicateOf === duplicateOf && row.attempts === attempts;
    note(`${id} is ${row?.status}, not ${status}`, isSame && (store.body(id) !== null) === hasBody);
  }
  for (const number of [0, 1]) {
    const key = `@act:${number}:${seed}`;
    note(`${key} has ${store.holderOf(key)}`, store.holderOf(key) === model.holder(key));
  }
  return wrong;
}

/** A delivery out of few webhooks, senders and keys, so that they often meet. */
function drawn(random: Random, seed: number, step: number): Known {
  const keys = [
    'id:1',
    'id:2',
    '?id:1',
    'body:1',
    'body:2',
    `@seal:1:${seed}`,
    `@act:0:${seed}`,
    `@act:1:${seed}`,
  ];
  const status = random.pick(['pending', 'pending', 'pending', 'ignored', 'unparsed'] as const);
  return {
    id: `dlv-${seed}-${String(step).padStart(2, '0')}`,
    webhook: `webhook-${seed}-${random.below(2)}`,
    senderId: random.pick([null, 'sender-1', 'sender-2']),
    keys: status === 'unparsed' ? [] : keys.filter(() => random.below(4) === 0),
    ...{ status, duplicateOf: null, attempts: 0, hasBody: true },
  };
}

function taskOf(seed: number, step: number) {
  return taskInFlow(`task-${seed}-${step}`, { flowId: `flow-${seed}`, externalId: `x:${seed}` });
}

function pickFrom<T>(random: Random, from: readonly T[]): T | null {
  return from.length === 0 ? null : random.pick(from);
}

export function modelContract(implementation: Implementation): void {
  describe('states and keys', () => {
    test(`in ${SEQUENCES} random sequences of operations every answer is the model's`, async () => {
      const home = newHome(implementation);
      for (let first = 0; first < SEQUENCES; first += AT_ONCE) {
        const store = readable(await openHome(home));
        const seeds = Array.from({ length: AT_ONCE }, (_, index) => first + index);
        const wrong = await Promise.all(seeds.map((seed) => run(store, seed)));
        await store.close();
        expect(wrong.flat()).toEqual([]);
      }
    });
  });
}
