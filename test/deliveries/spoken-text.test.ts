import { describe, expect, test } from 'vitest';
import { findCall } from '../../src/deliveries/rules/text-command.ts';
import { bitbucket } from '../../src/providers/bitbucket/index.ts';
import { github } from '../../src/providers/github/index.ts';
import { gitlab } from '../../src/providers/gitlab/index.ts';
import { jira } from '../../src/providers/jira/index.ts';
import { linear } from '../../src/providers/linear/index.ts';
import { slack } from '../../src/providers/slack/index.ts';
import type { JsonObject, JsonValue, Provider, WebhookEvent } from '../../src/types.ts';
import { json, onlyEvent, request, samplePayload } from '../providers/support.ts';
import { webhookWith } from './support.ts';

const webhook = await webhookWith({
  commands: [
    { name: 'analyze', template: 'x' },
    { name: 'review', template: 'x' },
    { name: 'fix', template: 'x' },
  ],
});

/** Each provider's event in which somebody writes a comment, made of the payload that the provider would send. */
const SENDERS: Readonly<Record<string, (text: string) => WebhookEvent>> = {
  github: (text) => parsed(github, 'issue_comment.created', text, { 'x-github-event': 'issue_comment' }),
  gitlab: (text) => parsed(gitlab, 'note.create', text, { 'x-gitlab-event': 'Note Hook' }),
  bitbucket: (text) =>
    parsed(bitbucket, 'pullrequest:comment_created', text, { 'x-event-key': 'pullrequest:comment_created' }),
  linear: (text) => parsed(linear, 'Comment.create', text, {}),
  jira: (text) => jiraEvent(text),
  slack: (text) => {
    const payload = samplePayload(slack, 'message.channel', 'x');
    const event = { ...(payload.event as JsonObject), text };
    const authorizations = [{ is_bot: true, user_id: 'U0BOT' }];
    return onlyEvent(slack.parse(request(json({ ...payload, event, authorizations }))));
  },
};

function parsed(
  provider: Provider,
  type: string,
  text: string,
  headers: Record<string, string>,
): WebhookEvent {
  return onlyEvent(provider.parse(request(json(samplePayload(provider, type, text)), headers)));
}

function jiraEvent(body: JsonValue): WebhookEvent {
  const payload = samplePayload(jira, 'comment_created');
  const comment = { ...(payload.comment as JsonObject), body };
  return onlyEvent(jira.parse(request(json({ ...payload, comment }))));
}

/** What a comment asks for: `command: argument`; or why it asks for nothing. */
function asked(text: string, provider = 'github'): string {
  return outcome(SENDERS[provider]?.(text) as WebhookEvent);
}

function outcome(event: WebhookEvent): string {
  const call = findCall(webhook, event);
  return call.command === null ? call.reason : `${call.command.name}: ${call.argument}`;
}

type Row = readonly [text: string, result: string, provider?: string];

/** One test per row; the texts are too long for a title. */
function rows(title: string, table: readonly Row[]): void {
  test.each(table.map(([text, result, provider = 'github']) => [text, result, provider] as const))(
    `${title} (%j)`,
    (text, result, provider) => expect(asked(text, provider)).toBe(result),
  );
}

describe('where a command may be', () => {
  rows('B1: the prefix counts between any two characters that are part of no word', [
    ['cc:@agent analyze it', 'analyze: it'],
    ['Hi,@agent analyze it', 'analyze: it'],
    ['[@agent](https://github.com/agent) analyze it', 'analyze: it'],
    ['[@agent][1] review it\n\n[1]: https://github.com/agent', 'review: it\n\n[1]: https://github.com/agent'],
    ['_@agent_ analyze it', 'analyze: it'],
    ['__@agent__ review it', 'review: it'],
    ['~~@bob~~/@agent review it', 'review: it'],
    ['@agent… analyze it', 'analyze: it'],
    ['@agent、review it', 'review: it'],
    ['（@agent）review it', 'review: it'],
    ['—@agent—review it', 'review: it'],
    ['👋@agent review it', 'review: it'],
    ['<b>@agent</b> review it', 'review: it'],
    ['"@agent" review it', 'review: it'],
    ['¿@agent?\nreview it', 'review: it'],
    ['[@agent|https://agent.example] review it', 'review: it', 'jira'],
    ['*<@U0BOT>* review it', 'review: it', 'slack'],
  ]);

  rows('B1: within a word or an address it does not, and the reason says so', [
    ['@agents review', '`@agent` in line 1 is part of a longer word'],
    ['@agent-x review', '`@agent` in line 1 is part of a longer word'],
    ['a\n\n@agent.dev review', '`@agent` in line 3 is part of a longer word'],
    ['@agent/team review', '`@agent` in line 1 is part of a longer word'],
    ['@agent_x review', '`@agent` in line 1 is part of a longer word'],
    ['@agent\\_x review', '`@agent` in line 1 is part of a longer word'],
    ["@agent's review was good", '`@agent` in line 1 is part of a longer word'],
    ['mail@agent review', '`@agent` in line 1 is part of a longer word'],
    ['e@agent.example', '`@agent` in line 1 is part of a longer word'],
    ['ü@agent review', '`@agent` in line 1 is part of a longer word'],
    ['https://medium.example/@agent review', '`@agent` in line 1 is in an address'],
    ['[this](https://medium.example/@agent) review', '`@agent` in line 1 is in the address of a link'],
    ['<https://medium.example/@agent> review', '`@agent` in line 1 is in an address'],
    ['![@agent review](a.png)', '`@agent` in line 1 is in an image'],
    ['write "@agent review it" for that', '`@agent` in line 1 is in quotation marks'],
    ['write “@agent review it” for that', '`@agent` in line 1 is in quotation marks'],
  ]);

  rows('B2: punctuation around the command word is no part of it', [
    ['@agent review。', 'review: '],
    ['@agent review！', 'review: '],
    ['@agent «review»', 'review: '],
    ['@agent **review** it', 'review: it'],
    ['@agent `review` it', 'review: it'],
    ['@agent review…', 'review: '],
    ['@agent – review – it', 'review: – it'],
    ['@agent review，it', 'review: it'],
    ['@agent ¡review!', 'review: '],
    ['@agent review-all', 'analyze: review-all'],
    ['@agent review.md', 'analyze: review.md'],
    ['@agent\n> review\n\nplease', 'analyze: > review\n\nplease'],
  ]);

  rows('B3: a header of mail above a marked quote takes that quote alone', [
    [
      'On Friday Bob wrote:\n\n> the pump stops\n\n@agent analyze whether that is true',
      'analyze: whether that is true',
    ],
    ['From: the staging log\n\n@agent analyze these lines', 'analyze: these lines'],
    [
      'On Mon, 3 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:\n> the pump stops\n\n@agent analyze it',
      'analyze: it',
    ],
    ['Bob wrote: it stops\n\n@agent analyze it', 'analyze: it'],
    ['On Friday Bob wrote:\n\n@agent analyze it', 'analyze: it'],
    ['From: 1.2.0\nTo: 1.3.0\n\n@agent review the upgrade', 'review: the upgrade'],
    ['Date: today\n\n@agent review it', 'review: it'],
    ['Datum: 3.11.\nVon: Pumpe 3\n\n@agent review it', 'review: it'],
    ['On 2026-11-03 the log wrote:\n\n@agent analyze it', 'analyze: it'],
    ['To: do\n\n@agent review it', 'review: it'],
    ['On 3 Nov the log said:\n\n@agent analyze it', 'analyze: it'],
    ['Fra: Bob <bob@acme.example>\nSendt: mandag\n\n> det stopper\n\n@agent analyze it', 'analyze: it'],
    [
      'Am 03.11.2026 um 10:00 schrieb Bob <bob@acme.example>:\n{quote}es steht{quote}\n\n@agent analyze it',
      'analyze: it',
      'jira',
    ],
  ]);

  const SWALLOWED = /^`@agent` in line \d is in quoted mail$/;
  test.each([
    ['Fint.\n\nFra: Bob <bob@acme.example>\nSendt: mandag\n\n@agent fix it'],
    [
      'Ok.\n\nOn Mon, 3 Nov 2026 at 10:00 AM Bob Longname Robertson <\nnotifications@github.example> wrote:\n\n@agent fix it',
    ],
    ['Ja.\n\nVon: Bob\nGesendet: Montag, 3. November\nAn: Ada\nBetreff: Pumpe\n\n@agent fix it'],
    ['Oui.\n\n**De :** Bob\n**Envoyé :** lundi\n**À :** Ada\n\n@agent fix it'],
    ['Si.\n\nDe: Bob <bob@acme.example>\nPara: Ada\nAsunto: bomba\n\n@agent fix it'],
    ['好。\n\n发件人： Bob\n发送时间： 2026年11月3日\n\n@agent fix it'],
    ['Ok.\n\nSubject: Pump\nDate: Mon\nFrom: Bob\nTo: Ada\n\n@agent fix it'],
    ['Ok.\n\nLe lun. 3 nov. 2026 à 10:00, Bob <bob@acme.example> a écrit :\n\n@agent fix it'],
    ['Ok.\n\nAm 03.11.2026 um 10:00 schrieb Bob <bob@acme.example>:\n\n@agent fix it'],
    ['Ok.\n\nDen man. 3. nov. 2026 kl. 10.00 skrev Bob <bob@acme.example>:\n\n@agent fix it'],
    ['Ok.\n\nпн, 3 нояб. 2026 г. в 10:00, Bob <bob@acme.example>:\n\n@agent fix it'],
    ['はい。\n\n2026年11月3日(火) 10:00 Bob <bob@acme.example>:\n\n@agent fix it'],
    ['Bob <bob@acme.example> escreveu no dia segunda, 3/11/2026 à(s) 10:00:\n\n@agent fix it'],
    ['Ok.\n\n-----Original Message-----\n\n@agent fix it'],
    ['Ok.\n\n-----Ursprüngliche Nachricht-----\n\n@agent fix it'],
    ['Ok.\n\n---------- Forwarded message ---------\n\n@agent fix it'],
    ['Ok.\n\nBegin forwarded message:\n\n@agent fix it'],
    ['Ok.\n\n##- Please type your reply above this line -##\n\n@agent fix it'],
  ])('B4: mail quoted below its header, in any language and wrapped, is no command (%j)', (text) => {
    for (const provider of ['github', 'gitlab', 'bitbucket', 'jira']) {
      expect(asked(text, provider)).toMatch(SWALLOWED);
    }
    const typed = text.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(asked(typed.replace('@agent', '<@U0BOT>'), 'slack')).toMatch(SWALLOWED);
  });

  rows('B5: an unclosed backtick ends with its paragraph', [
    ['It`s broken.\n\n@agent analyze it\n\nThat`s all.', 'analyze: it\n\nThat`s all.'],
    ['# It`s\n@agent analyze it\n\nThat`s all.', 'analyze: it\n\nThat`s all.'],
    ['- It``s\n- @agent analyze it\n- That``s', 'analyze: it\n- That``s'],
    ['| it`s | x |\n|-|-|\n| @agent review | that`s |', 'review: | that`s |'],
    ['It\\`s @agent review, that`s all', 'review: that`s all'],
    ['It`s\n@agent review\nthat`s', '`@agent` in line 2 is in a code span'],
  ]);

  rows('B6: what code shows begins no comment', [
    ['The template has `<!--` in it.\n\n@agent analyze it', 'analyze: it'],
    ['```html\n<!--\n```\n\n@agent analyze it', 'analyze: it'],
    ['    <!--\n\n@agent analyze it', 'analyze: it'],
    ['\\<!-- is how it begins\n\n@agent analyze it', 'analyze: it'],
    ['a <!-- b\n\n@agent analyze it', 'analyze: it'],
    ['<!--\n\n@agent analyze it', '`@agent` in line 3 is in an HTML comment'],
  ]);

  rows('B7: a quote in any container and in HTML is a quote', [
    ['- > @agent fix it', '`@agent` in line 1 is in a quote'],
    ['1. a\n   > @agent fix it', '`@agent` in line 2 is in a quote'],
    ['> - a\n>   @agent fix it', '`@agent` in line 2 is in a quote'],
    ['> ```\n> a\n> ```\n> @agent fix it', '`@agent` in line 4 is in a quote'],
    ['<blockquote>\n@agent fix it\n</blockquote>', '`@agent` in line 2 is in a <blockquote> element'],
    ['<blockquote>\n\n**@agent fix it**\n\n</blockquote>', '`@agent` in line 3 is in a <blockquote> element'],
    ['a <BLOCKQUOTE class="x">@agent fix it</BLOCKQUOTE>', '`@agent` in line 1 is in a <blockquote> element'],
    ['<blockquote>a</blockquote>\n\n@agent fix it', 'fix: it'],
    ['<pre>\n@agent fix it\n</pre>', '`@agent` in line 2 is in a <pre> element'],
    ['<details>\n<summary>log</summary>\n\n@agent fix it\n\n</details>', 'fix: it\n\n</details>'],
    ['> [!NOTE]\n> @agent fix it', '`@agent` in line 2 is in a quote'],
  ]);

  rows('B8: what is indented with its list item is its text', [
    ['- item\n\n    @agent analyze it', 'analyze: it'],
    ['1. item\n\n   @agent analyze it', 'analyze: it'],
    ['10. a\n    - b\n\n      @agent analyze it', 'analyze: it'],
    ['-\titem\n\n\t@agent analyze it', 'analyze: it'],
    ['- item\n\n      @agent analyze it', '`@agent` in line 3 is in a code block'],
    ['item\n\n    @agent analyze it', '`@agent` in line 3 is in a code block'],
  ]);

  rows('B9: the fenced quotes of GitLab are quotes', [
    ['>>>\n@agent fix it\n\nsecond line\n>>>\n\nWhy?', '`@agent` in line 2 is in a quote', 'gitlab'],
    ['- a\n  >>>\n  @agent fix it\n  >>>', '`@agent` in line 3 is in a quote', 'gitlab'],
    ['>>>\n```\n>>>\n\n@agent fix it', 'fix: it', 'gitlab'],
    ['>>>\na\n>>>\n@agent fix it', 'fix: it', 'gitlab'],
    ['>>>>\n>>>\na\n>>>\n@agent fix it\n>>>>', '`@agent` in line 5 is in a quote', 'gitlab'],
    ['```\n>>>\n```\n@agent fix it', 'fix: it', 'gitlab'],
    ['> a\n\n@agent fix it', 'fix: it', 'gitlab'],
  ]);

  rows('B10: the fences of Slack begin and end anywhere in a line', [
    ['it fails:\n```Error: pump\n  at x```\n<@U0BOT> analyze this', 'analyze: this', 'slack'],
    ['```a``` <@U0BOT> analyze this', 'analyze: this', 'slack'],
    ['see ```a\n<@U0BOT> analyze this\nb``` ok', '`@agent` in line 2 is in a code block', 'slack'],
    ['say `<@U0BOT> analyze` for it', '`@agent` in line 1 is in a code span', 'slack'],
    ['it`s down\n<@U0BOT> analyze it, that`s all', 'analyze: it, that`s all', 'slack'],
    ['&gt; <@U0BOT> fix it', '`@agent` in line 1 is in a quote', 'slack'],
    ['&gt; a\n<@U0BOT> fix it', 'fix: it', 'slack'],
    ['&gt;&gt;&gt; a\n\n<@U0BOT> fix it', '`@agent` in line 3 is in a quote', 'slack'],
    ['``` is a fence\n<@U0BOT> fix it', 'fix: it', 'slack'],
    ['    <@U0BOT> fix it', 'fix: it', 'slack'],
  ]);

  rows('B11: Jira and Slack have no Markdown and no HTML', [
    ['it`s down\n\n@agent analyze it\n\nthat`s all', 'analyze: it\n\nthat`s all', 'jira'],
    ['```\n@agent analyze it\n```', 'analyze: it\n```', 'jira'],
    ['> @agent analyze it', '`@agent` in line 1 is in a quote', 'slack'],
    ['a <!-- b\n@agent analyze it', 'analyze: it', 'jira'],
    ['where is print &lt;!-- TODO at the top?\n<@U0BOT> analyze it', 'analyze: it', 'slack'],
    ['~~~\n<@U0BOT> analyze it\n~~~', 'analyze: it\n~~~', 'slack'],
    ['{code:js}\n@agent fix it\n{code}', '`@agent` in line 2 is in a {code} block', 'jira'],
    ['{noformat}\n@agent fix it', '`@agent` in line 2 is in a {noformat} block', 'jira'],
    ['{quote}\n@agent fix it\n{quote}\nWhy?', '`@agent` in line 2 is in a {quote}', 'jira'],
    ['bq. @agent fix it', '`@agent` in line 1 is in a bq. quote', 'jira'],
    ['bq. a\n@agent fix it', 'fix: it', 'jira'],
    ['write {{@agent fix}} for it', '`@agent` in line 1 is in a code span', 'jira'],
    ['{color:red}@agent fix it{color}', 'fix: it{color}', 'jira'],
    ['{panel:title=@agent fix}\na\n{panel}', '`@agent` in line 1 is in a macro', 'jira'],
    ['\\{code} is a macro\n@agent fix it', 'fix: it', 'jira'],
    ['{{code}} is a word\n@agent fix it', 'fix: it', 'jira'],
    ['<!-- @agent fix it -->', 'fix: it -->', 'bitbucket'],
    ['<!-- @agent fix it -->', 'fix: it -->', 'linear'],
    ['`@agent fix it`', '`@agent` in line 1 is in a code span', 'linear'],
  ]);

  const doc = (...content: JsonValue[]) => ({ type: 'doc', version: 1, content });
  const paragraph = (...content: JsonValue[]) => ({ type: 'paragraph', content });
  const say = (text: string, ...marks: string[]) => ({
    type: 'text',
    text,
    marks: marks.map((type) => ({ type })),
  });
  const mention = say('@agent analyze it');
  test.each([
    [
      'backticks',
      doc(paragraph(say('it`s down')), paragraph(mention), paragraph(say('that`s all'))),
      /^analyze: it/,
    ],
    ['a typed >', doc(paragraph(say('> ')), paragraph(say('> '), mention)), 'analyze: it'],
    ['typed fences', doc(paragraph(say('```')), paragraph(mention), paragraph(say('```'))), /^analyze: it/],
    ['a panel', doc({ type: 'panel', content: [paragraph(mention)] }), 'analyze: it'],
    [
      'a list',
      doc({ type: 'bulletList', content: [{ type: 'listItem', content: [paragraph(mention)] }] }),
      'analyze: it',
    ],
    ['the code mark', doc(paragraph(say('@agent analyze it', 'strong', 'code'))), /is in a code span$/],
    ['a code block', doc({ type: 'codeBlock', content: [mention] }), /is in a code block$/],
    [
      'a quote',
      doc({ type: 'blockquote', content: [paragraph(say('a')), paragraph(mention)] }),
      /is in a quote$/,
    ],
    [
      'a quote in an expand in a table',
      doc({
        type: 'table',
        content: [{ type: 'expand', content: [{ type: 'blockquote', content: [paragraph(mention)] }] }],
      }),
      /is in a quote$/,
    ],
    [
      'a card',
      doc(paragraph({ type: 'inlineCard', attrs: { url: 'https://x.example/@agent' } })),
      /is in an address$/,
    ],
  ])('B11: ADF tells by its nodes alone what is quote or code: %s', (_, body, result) => {
    const said = outcome(jiraEvent(body));
    if (typeof result === 'string') expect(said).toBe(result);
    else expect(said).toMatch(result);
  });

  rows('B14: a comment ends where it ends', [
    ['<!-- note --> @agent analyze x', 'analyze: x'],
    ['<!-- note\nmore --> @agent analyze x', 'analyze: x'],
    ['a <!-- note --> @agent analyze x', 'analyze: x'],
    ['<!-- note -->\n@agent analyze x', 'analyze: x'],
    ['<!-- @agent fix x -->', '`@agent` in line 1 is in an HTML comment'],
    ['<!--\n\n@agent fix x\n\n-->\n\nb', '`@agent` in line 3 is in an HTML comment'],
    ['[//]: # (@agent fix x)', '`@agent` in line 1 is in the definition of a link'],
    ['<img alt="@agent fix x">', '`@agent` in line 1 is in an HTML tag'],
  ]);

  rows('B15: a fence ends with its item', [
    ['1. ```js\n   a()\n   ```\n\n@agent analyze this', 'analyze: this'],
    ['- x\n  ```\n  a\n\n@agent analyze x', 'analyze: x'],
    ['> ```\n> a\n\n@agent analyze x', 'analyze: x'],
    ['- ```\n  a\n- @agent analyze x', 'analyze: x'],
    ['- a\n  - ```\n    b\n  - @agent analyze x', 'analyze: x'],
    ['```\na\n\n@agent analyze x', '`@agent` in line 4 is in a code block'],
  ]);

  rows('B16: code is code', [
    ['I don`t know.\n\nOne types `@agent analyze x` for that.', '`@agent` in line 3 is in a code span'],
    ['# Log\n    @agent analyze x', '`@agent` in line 2 is in a code block'],
    ['- ```\n  @agent analyze x\n  ```', '`@agent` in line 2 is in a code block'],
    ['a\n***\n    @agent analyze x', '`@agent` in line 3 is in a code block'],
    ['> a\n\n    @agent analyze x', '`@agent` in line 3 is in a code block'],
    ['- a\n\n      @agent analyze x', '`@agent` in line 3 is in a code block'],
    ['``a ` @agent analyze x``', '`@agent` in line 1 is in a code span'],
    ['a <code>@agent analyze x</code>', '`@agent` in line 1 is in a <code> element'],
    ['```suggestion\n@agent analyze x\n```', '`@agent` in line 2 is in a code block'],
    ['~~~\n```\n@agent analyze x\n~~~', '`@agent` in line 3 is in a code block'],
  ]);

  const LAZY = 'is in the quote that the line above goes on with (an empty line ends it)';
  rows('B17: an unquoted line directly below a quote is still the quote, and the reason says how it ends', [
    ['> x\n@agent analyze it', `\`@agent\` in line 2 ${LAZY}`],
    ['> x\ny\n@agent analyze it', `\`@agent\` in line 3 ${LAZY}`],
    ['- > x\n@agent analyze it', `\`@agent\` in line 2 ${LAZY}`],
    ['> x\n\n@agent analyze it', 'analyze: it'],
    ['> # x\n@agent analyze it', 'analyze: it'],
    ['> x\n- @agent analyze it', 'analyze: it'],
    ['> ```\n> x\n> ```\n@agent analyze it', 'analyze: it'],
  ]);

  test('a text that is too long is not searched, and the reason says so', () => {
    expect(asked(`${'a '.repeat(600_000)}\n@agent analyze it`)).toBe(
      'the text is longer than 1,048,576 characters and was not searched for `@agent`',
    );
  });
});
