import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type {
  TextCommandDefinition,
  TriggerCommandDefinition,
  WebhookDefinition,
} from '../../src/config/modules/define.ts';
import { type commandSchema, definitionSchema } from '../../src/config/schema.ts';

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

test('ids of people may be written as numbers and are compared as text', () => {
  const definition = { name: 'own', provider: 'github', allow: { users: [583231, '42'] } };
  expect(definitionSchema.parse(definition).allow?.users).toEqual(['583231', '42']);
});
