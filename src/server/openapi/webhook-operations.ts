import { z } from 'zod';
import {
  commandPatchSchema,
  newCommandSchema,
  newWebhookSchema,
  webhookPatchSchema,
} from '../../config/dynamic/schema.ts';
import { schemas as webhooks } from '../api/webhooks.ts';
import { schemas as reads } from '../dashboard/reads.ts';
import * as answers from './answers.ts';
import type { Operation } from './operation.ts';
import * as reports from './report-answers.ts';

const anything = z.looseObject({});
const { pageOf } = answers;

const webhookExample = {
  provider: 'github',
  name: 'shop',
  commands: [{ name: 'look', template: '{{event.text}}' }],
};

/** Operations of webhooks and their commands. */
export const ofWebhooks: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/webhooks', summary: 'Webhooks by name' },
    ...{ query: webhooks.WebhookQuery, answer: pageOf(answers.webhook) },
  },
  {
    ...{
      method: 'post',
      path: '/webhooks',
      summary: 'Make a webhook; the answer alone shows a secret that it makes',
    },
    ...{ body: newWebhookSchema, example: webhookExample },
    ...{ status: 201, answer: answers.webhook, errors: [409, 422] },
  },
  {
    ...{ method: 'post', path: '/webhooks/import', summary: 'Take in what was exported' },
    ...{ body: webhooks.Import, example: { content: { webhooks: [] } } },
    ...{ answer: z.array(anything), errors: [409, 422] },
  },
  {
    ...{
      method: 'post',
      path: '/webhooks/restore',
      summary: 'Bring the last good copy of webhooks.json back',
    },
    ...{ answer: anything, errors: [409] },
  },
  { method: 'get', path: '/webhooks/:id', summary: 'A webhook', answer: answers.webhook, errors: [404] },
  ...(['put', 'patch'] as const).map(
    (method): Operation => ({
      ...{ method, path: '/webhooks/:id', body: webhookPatchSchema, example: { enabled: false } },
      summary:
        method === 'put' ? 'Replace the fields that are named' : 'Merge allow and options, replace the rest',
      ...{ answer: answers.webhook, errors: [404, 409, 422] },
    }),
  ),
  {
    ...{ method: 'delete', path: '/webhooks/:id', summary: 'Remove a webhook' },
    ...{ status: 204, answer: null, errors: [404, 409] },
  },
  ...(['enable', 'disable'] as const).map(
    (verb): Operation => ({
      ...{ method: 'post', path: `/webhooks/:id/${verb}`, summary: `${verb} a webhook` },
      ...{ answer: answers.webhook, errors: [404, 409] },
    }),
  ),
  {
    ...{
      method: 'post',
      path: '/webhooks/:id/rotate-secret',
      summary: 'Give it a new secret, which the answer alone shows',
    },
    ...{ body: webhooks.Rotation, example: { overlap_ms: 86_400_000 } },
    ...{ answer: answers.webhook, errors: [404, 409, 422] },
  },
  {
    ...{ method: 'post', path: '/webhooks/:id/await', summary: 'Answer the next handshake of a sender' },
    ...{ body: webhooks.Awaiting, example: { timeout_ms: 60_000 } },
    ...{ answer: z.strictObject({ handshake: anything.nullable() }), errors: [404, 409] },
  },
  {
    ...{ method: 'get', path: '/webhooks/:id/deliveries', summary: 'Its deliveries, newest first' },
    ...{ query: webhooks.ListQuery, answer: pageOf(answers.delivery), errors: [404] },
  },
  {
    ...{ method: 'get', path: '/webhooks/:id/commands', summary: 'Its commands' },
    ...{ answer: pageOf(answers.command), errors: [404] },
  },
  {
    ...{ method: 'post', path: '/webhooks/:id/commands', summary: 'Add a command' },
    ...{ body: newCommandSchema, example: { name: 'look', template: '{{event.text}}' } },
    ...{ status: 201, answer: answers.command, errors: [404, 409, 422] },
  },
  {
    ...{ method: 'put', path: '/webhooks/:id/commands/:command', summary: 'Change a command' },
    ...{ body: commandPatchSchema, example: { priority: 5 } },
    ...{ answer: answers.command, errors: [404, 409, 422] },
  },
  {
    ...{ method: 'delete', path: '/webhooks/:id/commands/:command', summary: 'Remove a command' },
    ...{ status: 204, answer: null, errors: [404, 409] },
  },
  {
    ...{ method: 'get', path: '/webhooks/:id/form', summary: "What to enter in the sender's form" },
    ...{ answer: pageOf(z.strictObject({ label: z.string(), value: z.string() })), errors: [404] },
  },
  {
    ...{ method: 'get', path: '/webhooks/:id/compare', summary: 'Its variants side by side' },
    ...{ query: reads.CompareQuery, answer: reports.comparison, errors: [404] },
  },
  {
    ...{
      method: 'post',
      path: '/webhooks/:id/explain',
      summary: 'What a request would do; nothing is stored',
    },
    ...{ body: reads.Explain, example: { event: 'issues.opened', body: '{}' } },
    ...{ answer: reports.explanation, errors: [404] },
  },
];
