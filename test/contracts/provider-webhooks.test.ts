import { describe, expect, test } from 'vitest';
import { match } from '../../src/deliveries/match.ts';
import type { Provider, Webhook, WebhookEvent } from '../../src/types.ts';
import { webhookWith } from '../deliveries/support.ts';
import { json, onlyEvent, samplePayload, signed } from '../providers/support.ts';
import { providers } from '../support/providers.ts';

/** The samples in which a person says something new; all others say nothing that could command. */
const SPEAKING: Readonly<Record<string, readonly string[]>> = {
  github: [
    'issue_comment.created',
    'issues.opened',
    'pull_request.opened',
    'pull_request_review.submitted',
    'pull_request_review_comment.created',
  ],
  jira: ['comment_created', 'jira:issue_created'],
  slack: ['app_mention', 'message.channel', 'message.im', 'slash_command'],
  sentry: ['comment.created'],
  gitlab: ['note.create', 'issue.open', 'merge_request.open'],
};

/** What happens by itself, without any word. */
const AUTOMATIC: Readonly<Record<string, readonly string[]>> = {
  sentry: ['issue.created', 'event_alert.triggered', 'metric_alert.critical'],
};

const withWebhook = providers.filter(({ webhook }) => webhook !== null);

describe.each(withWebhook.map((provider) => [provider.name, provider] as const))(
  'the built-in webhook of %s',
  async (name, provider) => {
    const webhook = await webhookWith({ ...provider.webhook, provider: name });
    const speaking = SPEAKING[name] ?? [];

    test.each(
      speaking.flatMap((type) =>
        (provider.webhook?.commands ?? []).map((command) => [type, command.name, command] as const),
      ),
    )('%s starts %s', (type, word, command) => {
      const [fired, ...more] = firedBy(webhook, eventOf(provider, type, `@agent ${word} why & how`));
      expect([fired?.command.id, fired?.argument, more.length]).toEqual([word, 'why & how', 0]);
      expect(fired?.needsApproval).toBe(command.requiresApproval ?? false);
    });

    test.each(speaking)('%s without the prefix starts nothing', (type) => {
      expect(
        firedBy(webhook, eventOf(provider, type, type === 'slash_command' ? null : 'analyze this')),
      ).toHaveLength(type === 'slash_command' ? 1 : 0);
    });

    test('everything else starts nothing, but what is to happen by itself', () => {
      const rest = provider.samples.map(({ type }) => type).filter((type) => !speaking.includes(type));
      const started = rest.filter(
        (type) => firedBy(webhook, eventOf(provider, type, '@agent analyze')).length > 0,
      );
      expect(started).toEqual(AUTOMATIC[name] ?? []);
    });

    test('its templates show what was asked, and where', async () => {
      const event = eventOf(provider, speaking[0] ?? '', '@agent analyze why it fails');
      // What makes no task (`help`) shows what can be asked instead.
      for (const { template } of webhook.commands.filter(({ action }) => action === 'create_task')) {
        const authorOf = (path: readonly string[]) => provider.authorOf(event.payload, path);
        const text = (await template.compiled()).plain({ event, argument: 'why it fails', authorOf });
        expect(text).toContain('why it fails');
        expect(text).toContain(event.url ?? event.externalId);
      }
    });
  },
);

test('the table has every provider with a webhook of its own', () => {
  expect(Object.keys(SPEAKING)).toEqual(withWebhook.map(({ name }) => name));
});

test('with another prefix a mention and a slash command of Slack still address the app', async () => {
  const slack = providers.find(({ name }) => name === 'slack') as Provider;
  const webhook = await webhookWith({ ...slack.webhook, provider: 'slack', commandPrefix: '!bot' });
  for (const type of ['app_mention', 'slash_command']) {
    const text = type === 'app_mention' ? '@agent execute it' : 'execute it';
    const [fired] = firedBy(webhook, eventOf(slack, type, text, webhook));
    expect([type, fired?.command.id, fired?.argument]).toEqual([type, 'execute', 'it']);
  }
  expect(firedBy(webhook, eventOf(slack, 'message.channel', '@agent execute it', webhook))).toEqual([]);
});

function eventOf(provider: Provider, type: string, text: string | null, webhook?: Webhook): WebhookEvent {
  const incoming = signed(provider, json(samplePayload(provider, type, text)), { type });
  return onlyEvent(provider.parse(incoming, webhook));
}

function firedBy(webhook: Webhook, event: WebhookEvent) {
  return match(webhook, event).matches.filter(({ fired }) => fired);
}
