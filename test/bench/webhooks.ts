import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from './hookctl.ts';
import { SECRET } from './load.ts';

/** Name and endpoint of one of many dynamic webhooks. */
export function webhookNumber(index: number): { readonly name: string; readonly endpoint: string } {
  return { name: `bench ${index}`, endpoint: `/webhooks/github/${idOf(index)}` };
}

/** Puts so many dynamic webhooks, each with two commands, into the folder of a user without a server. */
export function writeWebhooks({ data }: User, count: number): void {
  const at = '2026-01-31T12:00:00.000Z';
  const webhooks = Array.from({ length: count }, (_, index) => ({
    webhook_id: idOf(index),
    provider: 'github',
    ...webhookNumber(index),
    secrets: [{ value: SECRET }],
    commands: [
      { id: `cmd-${index}-1`, name: 'analyze', template: 'Analyze {{issue.title}}' },
      {
        id: `cmd-${index}-2`,
        trigger: 'issues.opened',
        conditions: { 'issue.labels.name': 'bug' },
        template: 'Look at {{issue.title}}',
      },
    ],
    created_at: at,
    updated_at: at,
  }));
  const text = JSON.stringify({ schema_version: 1, webhooks }, null, 2);
  writeFileSync(join(data, 'webhooks.json'), `${text}\n`, { mode: 0o600 });
}

function idOf(index: number): string {
  return `wh-bench${String(index).padStart(6, '0')}`;
}
