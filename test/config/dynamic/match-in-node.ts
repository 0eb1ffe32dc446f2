import { join } from 'node:path';
import { match } from '../../../src/deliveries/match.ts';
import { github } from '../../../src/providers/github/index.ts';
import type { Webhook, WebhookEvent } from '../../../src/types.ts';
import { examples } from '../../support/github.ts';
import type { Matched, Outcome } from './match-support.ts';
import { placeIn } from './support.ts';

const HEADERS = {
  'content-type': 'application/json',
  'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
};

const events = examples().flatMap(({ event, payload }) => {
  const body = Buffer.from(JSON.stringify(asked(payload)));
  const parsed = github.parse({ headers: { ...HEADERS, 'x-github-event': event }, body, query: '' });
  return parsed.ok ? parsed.events : [];
});

const found: Matched[] = [];
const rest = process.argv.slice(2);
for (let index = 0; index < rest.length; index += 2) {
  const folder = rest[index] ?? '';
  const { snapshot } = await placeIn(folder, join(folder, 'webhooks.yml')).configuration();
  const webhook = snapshot.byName.get(rest[index + 1] ?? '');
  if (webhook === undefined) throw new Error(`there is no ${rest[index + 1]} in ${folder}`);
  const matches = await Promise.all(events.map((event) => outcomes(webhook, event)));
  found.push({
    payloads: examples().length,
    fired: matches.flat().filter(({ fired }) => fired).length,
    matches,
  });
}
process.stdout.write(JSON.stringify(found));

/** Comments ask for something, or no text command would ever be found. */
function asked(payload: object): object {
  return 'comment' in payload && typeof payload.comment === 'object'
    ? { ...payload, comment: { ...payload.comment, body: '@bot look at this' } }
    : payload;
}

async function outcomes(webhook: Webhook, event: WebhookEvent): Promise<readonly Outcome[]> {
  const made = match(webhook, event).matches.map(
    async ({ command, fired, reason, argument, needsApproval }) => ({
      fired,
      reason: reason.replaceAll(webhook.name, 'the webhook'),
      argument,
      needsApproval,
      action: command.action,
      agent: command.targetAgent,
      prompt: (await command.template.compiled()).plain({ event, argument, authorOf: () => null }),
    }),
  );
  return Promise.all(made);
}
