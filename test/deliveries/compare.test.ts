import { expect, test } from 'vitest';
import { compareVariants } from '../../src/deliveries/variants/compare.ts';
import { verdictOn } from '../../src/deliveries/variants/evidence.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import { comment } from '../contracts/store/fixtures.ts';
import { newDelivery, outcome } from '../store/records.ts';
import { onIssue, startEngine } from '../support/engine.ts';

const VARIANTS = `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Look at {{@argument}}' }
      - { name: fix, template: 'Fix it', requiresApproval: true }
    variants:
      - { name: a }
      - { name: b, targetAgent: planning }
      - name: next
        mode: shadow
        commands: [{ name: analyze, template: 'Look at {{@argument}}' }, { name: review }]
`;

test('compare: per variant what came, what fired, and how its tasks ended', async () => {
  const engine = await startEngine({ yaml: VARIANTS });
  const { context } = engine;
  const made = { a: 0, b: 0 };
  for (let issue = 1; issue <= 12; issue += 1) {
    const text = issue % 3 === 0 ? '@agent fix' : '@agent analyze';
    const { tasks, delivery } = await engine.deliver('github', 'issue_comment.created', onIssue(issue), text);
    made[delivery.variant === 'a' ? 'a' : 'b'] += 1;
    // The first is cancelled without having waited for approval: nothing was refused.
    const isCancelled = issue === 1 || issue % 3 === 0;
    for (const { id } of tasks)
      await changeTask(context, id, isCancelled ? 'cancel' : 'complete', { actor: 'cli' }, engine.folder);
  }
  const { variants, statements } = compareVariants(context.store, { name: 'github' }, 0);
  const sum = (pick: (each: (typeof variants)[number]) => number) =>
    variants.reduce((total, each) => total + pick(each), 0);
  expect(variants.map(({ name, deliveries, fired, tasks }) => [name, deliveries, fired, tasks])).toEqual([
    ['a', made.a, made.a, made.a],
    ['b', made.b, made.b, made.b],
  ]);
  expect([sum((each) => each.completed), sum((each) => each.approvalsRefused)]).toEqual([7, 4]);
  expect(statements).toEqual([expect.stringMatching(/^Too few to tell [ab] from [ab]: /)]);
  expect(compareVariants(context.store, { name: 'github' }, Date.now() + 1_000).variants).toEqual([]);
});

test('compare: counts every page and each edited reply, but no sample, replay or duplicate', async () => {
  const engine = await startEngine({ yaml: VARIANTS });
  const { store, ids } = engine.context;
  const decisions = [
    {
      ...{ event: 0, eventType: 'issue_comment.created', command: 'analyze', variant: 'a' },
      ...{ fired: true, reason: 'said', taskIds: [], error: null },
    },
  ];
  const decided = async (changes: Parameters<typeof newDelivery>[1] = {}) => {
    const id = ids.next('dlv');
    await store.accept(newDelivery(id, changes));
    await store.recordOutcome(outcome(id, { variant: 'a', decisions }));
    return id;
  };
  // More than one page of 500.
  await Promise.all(Array.from({ length: 510 }, () => decided()));
  const first = await decided();
  await decided({ isSample: true });
  await decided({ replayOf: first });
  await store.accept(newDelivery(ids.next('dlv'), { dedupeKeys: [`id:sender-${first}`] }));
  const id = await decided();
  await store.addComment(comment('out-1'), id, Date.now());
  await store.addComment(comment('out-2', { edits: 'out-1' }), id, Date.now());
  await store.indexed();
  const { variants } = compareVariants(store, { name: 'github' }, 0);
  expect(variants).toMatchObject([{ name: 'a', deliveries: 512, fired: 512, repliesEdited: 1 }]);
});

test('compare: shows delivery by delivery where what is in shadow would have differed', async () => {
  const engine = await startEngine({
    yaml: VARIANTS.replace('{ name: b, targetAgent: planning }', '{ name: b }'),
  });
  const deliver = async (text: string) =>
    (await engine.deliver('github', 'issue_comment.created', undefined, text)).delivery.id;
  await deliver('@agent analyze');
  const fixed = await deliver('@agent fix');
  const reviewed = await deliver('@agent review');
  const { shadows, differences } = compareVariants(engine.context.store, { name: 'github' }, 0);
  expect(shadows).toEqual([{ name: 'next', deliveries: 3, differing: 2 }]);
  expect(differences.map((each) => [each.delivery.id, each.command, each.before, each.after])).toEqual([
    // Without the word, the default command takes the text.
    [fixed, 'analyze', 'no', 'fires'],
    [fixed, 'fix', 'waits', 'none'],
    [reviewed, 'analyze', 'fires', 'no'],
    [reviewed, 'review', 'none', 'fires'],
  ]);
});

test('compare: another text and another agent of a shadow are differences, and a whole webhook can be in shadow', async () => {
  const yaml = VARIANTS.replace(
    "commands: [{ name: analyze, template: 'Look at {{@argument}}' }",
    "targetAgent: executor\n        commands: [{ name: analyze, template: 'See {{@argument}}' }",
  );
  const engine = await startEngine({ yaml });
  await engine.deliver('github', 'issue_comment.created');
  const { differences } = compareVariants(engine.context.store, { name: 'github' }, 0);
  expect(differences).toMatchObject([
    { command: 'analyze', variant: 'next', changed: ['targetAgent', 'text'] },
  ]);
  const whole = await startEngine({
    yaml: 'webhooks: { github: { mode: shadow, commands: [{ name: analyze }] } }',
  });
  await whole.deliver('github', 'issue_comment.created');
  expect(compareVariants(whole.context.store, { name: 'github' }, 0)).toMatchObject({
    variants: [],
    shadows: [{ name: null, deliveries: 1, differing: 1 }],
    differences: [{ command: 'analyze', before: 'none', after: 'fires', variant: null }],
  });
});

test('evidence: few counts tell nothing, like rates no difference, unlike ones which is better', () => {
  const rate = (name: string, good: number, all: number) => ({ name, good, all });
  const verdict = (a: [number, number], b: [number, number], comparisons = 1) =>
    verdictOn(rate('a', ...a), rate('b', ...b), comparisons);
  expect(verdict([300, 300], [0, 19])).toMatch(/^Too few to tell a from b: a completed 300 of 300 \(100 %\)/);
  expect(verdict([90, 100], [80, 100])).toMatch(/^No difference/);
  expect(verdict([90, 100], [70, 100])).toMatch(/^a completes more of its tasks than b/);
  expect(verdict([700, 1_000], [900, 1_000])).toMatch(/^b completes more of its tasks than a/);
  // 3 of 20 against 10 of 20: p = 0.0407 by Fisher's exact test.
  expect(verdict([3, 20], [10, 20])).toMatch(/^b completes more/);
  expect(verdict([3, 20], [10, 20], 2)).toMatch(/^No difference/);
});
