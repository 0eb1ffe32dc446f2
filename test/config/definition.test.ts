import { readFileSync } from 'node:fs';
import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import { actions } from '../../src/actions/index.ts';
import type {
  BuiltInAction,
  TextCommandDefinition,
  TriggerCommandDefinition,
  WebhookDefinition,
} from '../../src/config/modules/define.ts';
import { type commandSchema, definitionSchema } from '../../src/config/schema.ts';
import type { BuiltInProvider, KnownEventType } from '../../src/providers/facts.ts';

type Written = z.input<typeof definitionSchema>;
type WrittenCommand = z.input<typeof commandSchema>;

test('what an editor offers is what is accepted when it runs', () => {
  // A provider of the project is taken apart before the schema sees it.
  expectTypeOf<WebhookDefinition & { provider: string }>().toExtend<Written>();
  expectTypeOf<keyof WebhookDefinition>().toEqualTypeOf<keyof Written>();
  expectTypeOf<keyof TextCommandDefinition>().toEqualTypeOf<keyof WrittenCommand>();
  expectTypeOf<keyof TriggerCommandDefinition>().toEqualTypeOf<keyof WrittenCommand>();
  expectTypeOf<keyof NonNullable<WebhookDefinition['allow']>>().toEqualTypeOf<
    keyof NonNullable<Written['allow']>
  >();
});

test('an editor completes the known providers, event types and actions, and any other text is taken', () => {
  type Trigger = TriggerCommandDefinition['trigger'];
  type Action = TextCommandDefinition['action'];
  expectTypeOf<BuiltInProvider>().toExtend<Extract<WebhookDefinition['provider'], string>>();
  expectTypeOf<string>().toExtend<WebhookDefinition['provider']>();
  expectTypeOf<KnownEventType>().toExtend<Trigger>();
  expectTypeOf<BuiltInAction>().toExtend<Action>();
  // A union that has `string` as it is would have swallowed the names.
  expectTypeOf<Trigger>().not.toEqualTypeOf<string>();
  expectTypeOf<Action>().not.toEqualTypeOf<string | undefined>();
  expectTypeOf<Extract<WebhookDefinition['provider'], string>>().not.toEqualTypeOf<string>();
});

test('the known actions are those that there are', () => {
  const source = readFileSync(new URL('../../src/config/modules/define.ts', import.meta.url), 'utf8');
  const [type = ''] = /type BuiltInAction =[^;]+/.exec(source) ?? [];
  const names = new Set([...type.matchAll(/'([^']+)'/g)].map(([, name]) => name));
  expect(names).toEqual(new Set(actions.map(({ name }) => name)));
});

test('ids of people may be written as numbers and are compared as text', () => {
  const definition = { name: 'own', provider: 'github', allow: { users: [583231, '42'] } };
  expect(definitionSchema.parse(definition).allow?.users).toEqual(['583231', '42']);
});
