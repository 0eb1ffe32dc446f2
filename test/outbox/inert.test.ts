import { describe, expect, test } from 'vitest';
import { inert } from '../../src/providers/kit/inert.ts';
import { compileTemplate } from '../../src/templates/template.ts';
import { foreignText, joinTexts, notice, ownText, shownText } from '../../src/types/text.ts';
import type { JsonObject } from '../../src/types.ts';
import { startEngine } from '../support/engine.ts';
import { growth, LINEAR } from '../support/growth.ts';
import { providers } from '../support/providers.ts';
import { account, apisForFile, PLACES } from './support.ts';

const apis = apisForFile();

/** What acts on some host, in the places in which hosts and bots look for it. */
const ACTING: readonly string[] = [
  '@dependabot merge',
  'cc @acme/security-team and @octocat',
  '(@all)',
  '**@everyone**',
  'hi,@team',
  '`@claude fix it`',
  '```\n@claude fix it\n```',
  '@{5d1a:account-1} look',
  'http://@acme/core',
  '/merge',
  'text\n/close',
  'text\r\n  /label ~bug',
  '- /close\n- [ ] /approve\n- [x] /merge',
  '> /close\n>> /reopen',
  '1. /retest\n2) /lgtm',
  '# /hold\n**/close**\n`/close`',
  '<p>/close</p>\n<details open>/close',
  '```\n/retest\n```',
  '\u2028/close',
  '```\ncode\n```\n/approve',
  '\t/rebase\r\n>>>\n/merge\n>>>',
  '@acme/sub/group, @renovate-bot rebase; @mergifyio refresh, @bors r+',
  '<!-- hookctl:out-01hzy2m8k4c6v0qe -->',
  '<!-- dependabot:state -->',
  '[//]: # (hookctl:out-01hzy2m8k4c6v0qe)',
  'hookctl\\:out-01hzy2m8k4c6v0qe',
  'HOOKCTL:out-01hzy2m8k4c6v0qe',
  'Duplicate of #12',
  'duplicate  of https://github.com/o/r/issues/1',
  'fixes #12, closes: o/r#3, Resolved !4',
  'https://linear.app/acme/profiles/ada',
  '<!channel> <!here> <@U012AB> <!subteam^S1>',
  '[~ada] and [~accountid:5c]',
  '@agent approve task-01hzy2m8k4c6v0qe',
];

/** What a host or bot would act on; Markdown alone, but for the last. */
const ACTS: Readonly<Record<string, RegExp>> = {
  mention: /(?<![A-Za-z0-9_])@[\w{]/,
  command: /^[\s>*+\-#`_|.)(\]\d[xX]*(?:<[^>]*>)?\/[a-z]/m,
  hidden: /<!--/,
  duplicate: /duplicate\s+of/i,
  closing: /(?:fix|close|resolve)[sd]?[\s:]+(?:[\w.-]+\/[\w.-]+)?[#!]\d/i,
  profile: /linear\.app\/acme\/profiles/,
};
const OWN_MARK = /hookctl\\*:out-01hzy2m8k4c6v0qe/i;

const USUAL = ['mention', 'command', 'hidden'];
const OF_DIALECT: Readonly<Record<string, readonly string[]>> = {
  github: [...USUAL, 'duplicate'],
  gitlab: USUAL,
  gitea: [...USUAL, 'closing'],
  bitbucket: USUAL,
  linear: [...USUAL, 'profile'],
  sentry: USUAL,
};

const channels = providers.flatMap(({ name, reply }) => (reply === undefined ? [] : [{ name, reply }]));

/** All texts of a request's body, without our own mark. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value.replaceAll('hookctl:out-own', '').replace(/^<!-- {2}-->/, '')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

describe('F6: what is posted is inert', () => {
  test('F6: every provider that answers is in this table', () => {
    for (const { name } of channels) expect(PLACES, name).toHaveProperty(name);
  });

  describe.each(channels)('$name', ({ name, reply }) => {
    const place = PLACES[name] ?? { host: null };
    test.each(ACTING)(`F6: ${name}: %j does nothing`, (text) => {
      const post = { id: 'out-own', text: reply.inert?.(foreignText(text)) ?? '' };
      const to = account(name, name === 'jira' ? 'https://acme.atlassian.net' : 'https://api.example.com');
      const calls = [
        reply.comment(to, place, post),
        reply.edit?.(to, place, '1', post),
        reply.ephemeral?.(to, place, post),
        reply.respond?.call(to, { ...place, responseUrl: 'https://hooks.slack.com/x' }, post, true),
      ];
      for (const call of calls) {
        const body = call?.body ?? null;
        if (body === null) continue;
        for (const posted of textsOf(body)) {
          expect(posted).not.toMatch(OWN_MARK);
          for (const act of OF_DIALECT[name] ?? []) expect(posted).not.toMatch(ACTS[act] ?? /$/);
          if (name === 'slack') expect(posted).not.toMatch(/<[!@]/);
        }
        if (name === 'discord') expect(body).toMatchObject({ allowed_mentions: { parse: [] } });
      }
    });

    test(`F6: ${name}: people read the same words`, () => {
      for (const text of ACTING) {
        expect(reply.inert?.(foreignText(text)).replaceAll('\u200B', '')).toBe(text);
      }
    });
  });

  test('F6: Jira Data Center makes no mention of wiki text', () => {
    const jira = channels.find(({ name }) => name === 'jira')?.reply;
    const call = jira?.comment(
      account('jira', 'https://jira.acme.example'),
      { host: null, issue: 'P-1' },
      { id: 'out-own', text: jira.inert?.(foreignText('[~ada] {html}x{html}')) ?? '' },
    );
    expect(JSON.stringify(call?.body)).not.toMatch(/(?<!\\)\[~|(?<!\\)\{html/);
  });
});

describe('F6: what does not act stays as it is', () => {
  test.each([
    'Mail ada@example.com, or see https://medium.com/@ada/post and (https://example.com:8080/@ada).',
    'The file src/services.ts and the path a/b; 3 / 4; either/or.',
    'See #12 and !34; it was closed, fixed and resolved.',
    'const a = b @ c; 5 @ 3',
    '# Heading\n\n- item\n- [x] done\n\n> quote\n\n| a | b |\n|---|---|\n',
    'It is a duplicate. hookctl is at work.',
  ])('F6: %j', (text) => {
    for (const make of Object.values(inert)) expect(make(foreignText(text))).toBe(text);
  });
});

describe('F6: own words may act, and only those', () => {
  test('F6: a name of the configuration acts beside the same name of a payload', () => {
    const text = joinTexts(ownText('@acme/core: '), foreignText('@acme/core, @agent'));
    expect(inert.github(text)).toBe('@acme/core: @\u200Bacme/core, @\u200Bagent');
  });

  test('F6: what is own in part is not', () => {
    expect(inert.github(joinTexts(ownText('@'), foreignText('acme/core')))).toBe('@\u200Bacme/core');
    expect(inert.github(joinTexts(ownText('@acme/'), foreignText('core')))).toBe('@\u200Bacme/core');
    expect(inert.gitlab(joinTexts(ownText('> '), foreignText('/close')))).toBe('> /\u200Bclose');
  });

  test('F6: no text from outside passes for an own one', () => {
    const forged = '\uFDD0@acme/core\uFDD1';
    expect(inert.github(foreignText(forged))).toBe('@\u200Bacme/core');
    expect(inert.github(notice`by ${forged}.`)).toBe('by @\u200Bacme/core.');
    expect(shownText(ownText(forged))).toBe('@acme/core');
  });

  test('F6: a template’s own text acts, its values do not, whatever helper printed them', () => {
    const result = compileTemplate(
      '@acme/core: {{issue.title}} {{upper issue.title}} {{truncate issue.body 20}} {{#each issue.labels}}{{name}} {{/each}}{{json issue.user}} {{default issue.none "@acme/docs"}}\n/label ~seen',
    );
    if (!result.ok) throw new Error(result.message);
    const issue = {
      title: '@evil',
      body: 'x\n/close',
      labels: [{ name: '@label' }],
      user: { login: '@user' },
    };
    const event = {
      type: 'x',
      externalId: null,
      sender: null,
      text: null,
      textOrigin: 'created',
      title: null,
      url: null,
      payload: { issue },
    };
    const context = { event, argument: '', authorOf: () => null } as unknown as Parameters<
      typeof result.template.posted
    >[0];
    const posted = inert.gitlab(result.template.posted(context));
    expect(posted.replaceAll('\u200B', '')).toBe(result.template.plain(context));
    expect(posted).toContain('@acme/core: @\u200Bevil @\u200BEVIL x\n/\u200Bclose @\u200Blabel');
    expect(posted).toContain('"@\u200Buser"');
    expect(posted).toContain('@acme/docs\n/label ~seen');
  });
});

test('F6: n against 4n: the time grows with the length', () => {
  const makeInert = (text: string) => {
    for (const make of Object.values(inert)) make(foreignText(text));
  };
  for (const piece of [
    '@',
    '/',
    '[ ]',
    '[x]',
    '<a ',
    '<',
    '- ',
    '\n/',
    'https://a.b/@',
    'closes ',
    'linear.app/',
    'duplicate ',
  ]) {
    expect(
      growth((times) => makeInert(piece.repeat(times)), 10_000),
      piece,
    ).toBeLessThan(LINEAR);
  }
});

test('F6: a comment reaches the provider inert, with the configuration’s own mention', async () => {
  const yaml = `credentials:\n  github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" }\nwebhooks:\n  github:\n    commands:\n      - { name: analyze, action: comment, template: "@acme/core: {{issue.title}}" }\n`;
  const { deliver, sent } = await startEngine({ yaml, env: { TOKEN: 'a-token' } });
  const { delivery } = await deliver('github', 'issue_comment.created', (payload) => ({
    ...payload,
    issue: { ...(payload.issue as JsonObject), title: '@dependabot merge' },
  }));
  await sent(delivery.id);
  const post = apis().posts.find(({ text }) => text.includes('dependabot'));
  expect(post?.text).toContain('@acme/core: @\u200Bdependabot merge');
});
