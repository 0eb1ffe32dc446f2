import { describe, expect, test } from 'vitest';
import { match } from '../../src/deliveries/match.ts';
import { getPath, isJsonObject } from '../../src/lib/json.ts';
import { PRESETS } from '../../src/providers/presets/list.ts';
import type { JsonObject, JsonValue, Provider, WebhookEvent } from '../../src/types.ts';
import { webhookWith } from '../deliveries/support.ts';
import { json, NOW, onlyEvent, samplePayload, secretsOf, signed } from '../providers/support.ts';
import { merged } from '../support/merged.ts';
import { providers } from '../support/providers.ts';
import { bitbucket } from './text-cases/bitbucket.ts';
import type { TextCase } from './text-cases/case.ts';
import { configured, configuredCases } from './text-cases/configured.ts';
import { discord } from './text-cases/discord.ts';
import { gitea } from './text-cases/gitea.ts';
import { github } from './text-cases/github.ts';
import { gitlab } from './text-cases/gitlab.ts';
import { jira } from './text-cases/jira.ts';
import { jiraMachines } from './text-cases/jira-machines.ts';
import { linear } from './text-cases/linear.ts';
import { pagerduty } from './text-cases/pagerduty.ts';
import { sentry } from './text-cases/sentry.ts';
import { slack } from './text-cases/slack.ts';

/** Situations of each provider; a provider without any has texts by its sender alone. */
const CASES: Readonly<Record<string, readonly TextCase[]>> = {
  bitbucket,
  discord,
  gitea,
  github,
  gitlab,
  jira: [...jira, ...jiraMachines],
  linear,
  pagerduty,
  sentry,
  slack,
  ...configuredCases,
};

/** Samples whose payload names one account: who acts is who writes. */
const ONE_ACCOUNT = [
  'slack app_mention',
  'slack message.channel',
  'slack message.im',
  'slack slash_command',
  'jira comment_created',
  'sentry comment.created',
  'sentry comment.updated',
  'discord application_command',
  'pagerduty incident.annotated',
  'gitea pull_request_comment.reviewed',
  'generic with a sender comment.created',
];

/** Providers in whose events no person writes; `generic` reads texts where its settings name them. */
const WITHOUT_TEXTS = ['stripe', 'shopify', 'standard', 'alertmanager', 'grafana', 'registry', 'generic'];

const TEXT = '@agent analyze it';

/** An event of a provider as its signed request is read. */
function eventOf(provider: Provider, type: string, payload: JsonObject): WebhookEvent {
  const value = provider.newSecret?.() ?? 's3cret-of-the-contract';
  const request = signed(provider, json(payload), { type, secret: value });
  const verdict = provider.verify(request, secretsOf(value), NOW.getTime());
  if (!verdict.ok) throw new Error(verdict.detail);
  return onlyEvent(provider.parse(request));
}

/** Whether the text starts the command, and why, for a sender who is listed by id. */
async function judge(provider: Provider, event: WebhookEvent, apps: readonly string[] = []) {
  const webhook = await webhookWith({
    name: 'contract',
    // The rule is the same for all; a project's own providers are not known here.
    provider: providers.includes(provider) ? provider.name : 'generic',
    commands: [{ name: 'analyze', template: 'Analyze' }],
    events: ['*'],
    allow: { users: event.sender === null ? [] : [event.sender.id], apps },
  });
  const [found] = match(webhook, event, 'verified').matches;
  return { commands: found?.fired === true, reason: found?.reason ?? '' };
}

/** Paths of the values that name this account. */
function pathsOf(
  value: JsonValue | undefined,
  id: string,
  path: readonly string[] = [],
): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return String(value) === id ? [path] : [];
  return Object.keys(value).flatMap((key) => pathsOf(getPath(value, [key]), id, [...path, key]));
}

/** A sender by settings brings texts where its settings say where they are. */
function hasTexts(name: string): boolean {
  const { settings } = PRESETS[name as keyof typeof PRESETS] ?? {};
  return settings === undefined ? !WITHOUT_TEXTS.includes(name) : settings.text !== undefined;
}

/** Settings name one account, who acts and writes. */
function namesOneAccount(name: string, type: string): boolean {
  return Object.hasOwn(PRESETS, name) || ONE_ACCOUNT.includes(`${name} ${type}`);
}

/** The payload with another account at a path. */
function withAnother(payload: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
  const value = payload[key];
  const other = typeof value === 'number' ? 424_242 : `another-${String(value)}`;
  return { ...payload, [key]: isJsonObject(value) ? withAnother(value, rest) : other };
}

describe.each([...providers, ...configured].map((provider) => [provider.name, provider] as const))(
  '%s',
  (name, provider) => {
    const texts = provider.samples.filter(({ type }) => {
      const event = eventOf(provider, type, samplePayload(provider, type, TEXT));
      return event.text !== null && event.text !== '';
    });

    test('its samples bring texts of people, or none of its events does', () => {
      expect(texts.length > 0).toBe(hasTexts(name));
    });

    test.each(texts.map(({ type }) => [type]))(
      '%s: a text commands only while its author is its sender',
      async (type) => {
        const payload = samplePayload(provider, type, TEXT);
        const event = eventOf(provider, type, payload);
        if (event.sender === null) throw new Error('the sample names no sender');
        expect(await judge(provider, event)).toMatchObject({ commands: true });

        const variants = pathsOf(payload, event.author?.id ?? '').map((path) =>
          eventOf(provider, type, withAnother(payload, path)),
        );
        const foreign = variants.filter(({ author, sender }) => author?.id !== sender?.id);
        for (const variant of foreign) {
          const { commands, reason } = await judge(provider, variant);
          expect(commands).toBe(false);
          expect(reason).toMatch(/wrote the text, and|does not name who wrote the text|names no sender/);
        }
        if (event.sender.kind !== 'system' && !namesOneAccount(name, type))
          expect(foreign.map(({ sender }) => sender?.id)).toContain(event.sender.id);
      },
    );

    const cases = CASES[name] ?? [];
    test.each(cases.map((each) => [each.name, each] as const))(
      '%s',
      async (_, { sample, type = sample, change, refused, apps }) => {
        const event = eventOf(provider, type, merged(samplePayload(provider, sample, TEXT), change));
        const { commands, reason } = await judge(provider, event, apps);
        expect({ commands, reason }).toEqual({
          commands: refused === null,
          reason: refused === null ? expect.any(String) : expect.stringContaining(refused),
        });
      },
    );
  },
);
