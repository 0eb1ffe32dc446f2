import { z } from 'zod';
import { variableName } from '../lib/units.ts';

/** What a person may want to know at once. */
const NOTIFIED = ['approval', 'failed', 'budget', 'done'] as const;

const on = z
  .array(z.enum(NOTIFIED))
  .min(1)
  .default([...NOTIFIED])
  .describe(
    'approval: a task waits for a person; failed, done: it ended; budget: one is spent to 80 %, or used up.',
  );

const channel = z.discriminatedUnion(
  'use',
  [
    z.strictObject({
      use: z.literal('command'),
      on,
      program: z.string().min(1).describe('Program: a name on the PATH, or a path from the project folder.'),
      args: z
        .array(z.string())
        .default([])
        .describe('Arguments as they are; the notification is JSON on stdin.'),
    }),
    z.strictObject({
      use: z.literal('slack'),
      on,
      channel: z
        .string()
        .min(1)
        .describe('Channel or member, such as C0123456789; posted by the account of `credentials`.'),
    }),
    z.strictObject({
      use: z.literal('ntfy'),
      on,
      topic: z
        .string()
        .regex(/^[\w-]{1,64}$/, 'expected letters, digits, - and _')
        .describe('Topic to publish to.'),
      url: z
        .url({ protocol: /^https?$/ })
        .default('https://ntfy.sh')
        .describe('Server; default https://ntfy.sh.'),
      tokenEnv: variableName.describe('Environment variable with an access token.').optional(),
    }),
    z.strictObject({ use: z.literal('desktop'), on }),
  ],
  { error: 'expected { use: …, … } with use: command, slack, ntfy or desktop' },
);

/** `notify:` of webhooks.yml: one way to a person, or a list of them. */
export const notifySchema = z.union([channel.transform((one) => [one]), z.array(channel)]);

export type NotifySettings = z.output<typeof channel>;
export type Notified = (typeof NOTIFIED)[number];
