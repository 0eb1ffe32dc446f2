import { expect, test } from 'vitest';
import { findMention } from '../../../src/lib/text/mention.ts';
import type { TextFormat } from '../../../src/types.ts';

/** Texts of which it is known, from what each site shows, whether their writer says the prefix. */
const MARKDOWN = ['markdown', 'gitlab', 'bitbucket', 'linear'] as const;
/** GitHub and GitLab show HTML, tables, footnotes and formulas. */
const RICH = ['markdown', 'gitlab'] as const;
const ALL = [...MARKDOWN, 'mrkdwn', 'jira-wiki', 'plain'] as const;

const MARKDOWN_SPOKEN = [
  '> [!WARNING]\n> Text\n\n@agent fix it',
  '- [ ] @agent fix it',
  '1. [x] @agent fix it',
  '## @agent fix it ##',
  '@agent fix it\n===',
  '- a\n  > q\n\n  @agent fix it',
  '1. a\n   - b\n\n     @agent fix it',
  '\\> @agent fix it',
  '&gt; @agent fix it',
  'a\n\t@agent fix it',
  '- a\n\n\t@agent fix it',
  '-\t@agent fix it',
  '> q\r\n\r\n@agent fix it',
  '```\r\nx\r\n```\r\n@agent fix it',
  '~~~\n```\n~~~\n@agent fix',
  '``` a`b\n@agent fix',
  '- ```\n  a\n  ```\n  @agent fix',
  '- ```\n  a\n@agent fix',
  'a ` @agent fix',
  '\\`@agent fix\\`',
  '`a\n\n@agent fix`',
  '[@agent]: https://e.example\n\nSee [@agent] fix it',
  '***@agent*** fix it',
  '~~@agent fix it~~',
  '> ```\n> a\n\n@agent fix',
  '> a\n- @agent fix',
  '> a\n# @agent fix',
  '> a\n***\n@agent fix',
  '> # a\n@agent fix',
  '>     a\n@agent fix',
  '> a\n>\n@agent fix',
  '- > a\n- @agent fix',
  '10. a\n    ```\n    b\n    ```\n    @agent fix',
  '```\n```\n@agent fix',
  '> ~~~\n@agent fix\n~~~',
  'a\\\n@agent fix',
  '\\@agent fix',
  '@agent&nbsp;fix',
  '* * *\n@agent fix',
];
const MARKDOWN_SILENT = [
  '> [!NOTE]\n> @agent fix it',
  '- a\n  > q\n  @agent fix it',
  '- a\n\n      @agent fix it',
  '> - a\n> - @agent fix',
  '>@agent fix it',
  '    > @agent fix it',
  '\t@agent fix it',
  '>\t@agent fix it',
  '> q\r\n@agent fix it',
  '```\r\n@agent fix it\r\n```',
  'a\r\n\r\n    @agent fix',
  '````\n```\n@agent fix\n````',
  '   ```\n   @agent fix\n   ```',
  '`` a ` @agent fix `` b',
  '`a\n@agent fix`',
  '[x]: https://e.example "@agent fix it"',
  '[x](https://e.example/@agent "@agent fix")',
  '![@agent fix it](x.png)',
  '<https://e.example/@agent>',
  '[^1]: @agent fix',
  '- a\n- ```\n  @agent fix\n  ```',
  '> a\n```\n@agent fix\n```',
  '> - a\n@agent fix',
  '>>> a\n@agent fix',
  '+ a\n\n  - b\n\n        @agent fix',
  '# a\n    @agent fix',
  '~~~ a`b\n@agent fix\n~~~',
  '~~~~\n~~~\n@agent fix',
];
const RICH_SPOKEN = [
  '<details>\n<summary>Log</summary>\n\n@agent fix it\n\n</details>',
  '<details><summary>@agent fix it</summary>\n\nx\n</details>',
  'a <!-- x\n\n@agent fix it -->',
  '<!-->@agent fix it',
  '<del>@agent fix it</del>',
  '| a |\n|---|\n| @agent fix |',
  '| `a | b |\n|---|---|\n| @agent fix | ` |',
  'x[^1]\n\n[^1]: @agent fix',
  '<div align="center">\n\n@agent fix\n\n</div>',
  '<blockquote>a</blockquote>\n\n@agent fix',
  '<code>a</code> @agent fix',
  'a < b @agent fix > c',
  '<br>@agent fix',
  '<!-- a --><!-- b -->@agent fix',
  '`<!--` @agent fix `-->`',
  '<!-- ` -->\n@agent fix `',
  '$5 @agent fix it, or $6',
  'a $ b @agent fix $ c',
  '\\$@agent fix\\$',
  '$x$ @agent fix $y$',
  '$$\nx\n$$\n@agent fix',
  'it is $$\n\n@agent fix\n\n$$',
];
const RICH_SILENT = [
  '<details>\n<pre>\n@agent fix it\n</pre>\n</details>',
  '<!-- @agent fix it -->',
  '<!--\n\n@agent fix it\n\n-->',
  '- <!-- @agent fix it -->',
  '<samp>@agent fix it</samp>',
  '<q>@agent fix it</q>',
  '<a href="@agent">x</a>',
  '<b title="@agent fix">x</b>',
  '| a |\n|---|\n| `@agent fix` |',
  '<blockquote>\n\n@agent fix\n\n</blockquote>',
  '<?php @agent fix ?>',
  '<img alt="@agent fix">',
  '$$\n@agent fix it\n$$',
  'so $@agent fix$ is',
  '$`@agent fix`$',
  '$$@agent fix$$',
  '```math\n@agent fix\n```',
];
const SPOKEN = [
  '\u200b@agent fix it',
  '@agent\u200b fix it',
  '\u00a0@agent\u00a0fix it',
  '\u200f@agent fix it',
  '\u202b@agent fix it\u202c',
  '\ufeff@agent fix it',
  '：@agent fix it',
  '（@agent fix it）',
  '¿@agent fix it?',
  '@agent؟ fix it',
  '@agent، fix it',
  '@agent। fix',
  '👉@agent fix it',
  '@agent👉 fix it',
  '@@agent fix',
  '@Agent FIX it',
  '“@agent” fix it',
  '@agent fix it\n\nOn Mon, Mar 2, 2026 at 10:00 AM Ada <a@x.example> wrote:\n\n> old',
  'From: main\nTo: dev\n\n@agent fix the merge',
  'On Monday Ada wrote:\n\n@agent fix what she says',
  'Failing since 2026-03-02 10:00:\n@agent analyze',
  'Reported by Ada <a@x.example>:\n@agent analyze',
  'To: everyone\nSubject: pump\n\n@agent fix',
  '________________________________\n\n@agent fix',
  'Sent from my phone\n\n@agent fix',
];
const SILENT = [
  '@\u200bagent fix it',
  '\uff20agent fix it',
  '请@agent fix it',
  '@agent-fix it',
  '@agent’s fix',
  '@agent_2 fix',
  '@agent\u0301 fix',
  '「@agent fix it」',
  '"@agent fix it"',
];
/** What mail programs write above the mail that is answered or forwarded. */
const MAIL = [
  'Am 12.03.2026 um 10:00 schrieb Ada <a@x.example>:',
  'Le lun. 2 mars 2026 à 10:00, Ada <a@x.example> a écrit :',
  'Ada <a@x.example> ezt írta (időpont: 2026. márc. 2., H, 10:00):',
  'Στις Δευ 2 Μαρ 2026 στις 10:00 π.μ., ο χρήστης Ada <a@x.example> έγραψε:',
  'Vào Th 2, 2 thg 3, 2026 vào lúc 10:00 Ada <a@x.example> đã viết:',
  'Pada Sen, 2 Mar 2026 pukul 10.00 Ada <a@x.example> menulis:',
  'เมื่อ จ. 2 มี.ค. 2026 เวลา 10:00 Ada <a@x.example> เขียนว่า:',
  '2026년 3월 2일 (월) 오전 10:00, Ada <a@x.example>님이 작성:',
  'Ada <a@x.example> 于2026年3月2日周一 10:00写道：',
  'בתאריך 2 במרץ 2026 ב-10:00 מאת Ada <\u202aa@x.example\u202c\u200f>:\u200f',
  'On Mon, Mar 2, 2026 at 10:00 AM Ada Longname\n<a@x.example> wrote:',
  'Από: Ada\nΣτάλθηκε: Δευτέρα\nΠρος: Bob',
  'จาก: Ada\nส่ง: วันจันทร์\nถึง: Bob',
  'מאת: Ada\nנשלח: יום ב\nאל: Bob',
  'Từ: Ada\nĐã gửi: Thứ hai\nĐến: Bob',
  'Dari: Ada\nDikirim: Senin\nKepada: Bob',
  'De : Ada <a@x.example>\nEnvoyé : lundi\nÀ : Bob',
  '-----Ursprüngliche Nachricht-----\nVon: Ada',
  '________________________________\nFrom: Ada <a@x.example>\nSent: Monday',
  '*From:* Ada <a@x.example>\n*Sent:* Monday',
];
const SLACK_SPOKEN = [
  '> q\n@agent fix it',
  '```\na\n``` @agent fix',
  '• @agent fix it',
  '    @agent fix it',
  'a > @agent fix it',
  '<!-- @agent fix -->',
  'it`s @agent fix that`s',
  '`a\n@agent fix`',
  '$$ @agent fix $$',
];
const SLACK_SILENT = [
  '>@agent fix it',
  '>>> q\n\n@agent fix it',
  '`@agent fix it`',
  '*bold `@agent fix`*',
  'a\n>>> b\n@agent fix',
];
const JIRA_SPOKEN = [
  '{panel}@agent fix{panel}',
  'h1. @agent fix',
  '|@agent fix|',
  '{color:red}@agent fix{color}',
  '\\{quote}@agent fix\\{quote}',
  '> @agent fix',
  'a bq. @agent fix',
  '{noformat}{code}{noformat}@agent fix',
  'bq. a\n@agent fix',
  '{*}@agent{*} fix',
  '[@agent|https://x.example] fix',
  'wow!@agent fix it!',
  'Done! See a.b! @agent fix',
];
const JIRA_SILENT = [
  'bq. @agent fix it',
  '{code:title=Foo.java|borderStyle=solid}\n@agent fix\n{code}',
  '{{@agent fix}}',
  '{panel:title=@agent fix}x{panel}',
  '{expand:@agent fix}x{expand}',
  '!x.png|alt=@agent fix!',
  '{quote}{code}{quote}{code}@agent fix{quote}',
];
const GITLAB_SPOKEN = [
  '>>>\na\n>>>\n@agent fix',
  '[[_TOC_]]\n\n@agent fix',
  '{- @agent fix -}',
  '/assign @agent fix',
];
const GITLAB_SILENT = ['>>>\n@agent fix\n>>>', '```suggestion:-0+0\n@agent fix\n```'];

const TABLE: readonly (readonly [
  formats: readonly TextFormat[],
  spoken: readonly string[],
  silent: readonly string[],
])[] = [
  [MARKDOWN, MARKDOWN_SPOKEN, MARKDOWN_SILENT],
  [RICH, RICH_SPOKEN, RICH_SILENT],
  [ALL, SPOKEN, [...SILENT, ...MAIL.map((above) => `Thanks.\n\n${above}\n\n@agent fix it`)]],
  [['mrkdwn'], SLACK_SPOKEN, SLACK_SILENT],
  [['jira-wiki'], JIRA_SPOKEN, JIRA_SILENT],
  [['gitlab'], GITLAB_SPOKEN, GITLAB_SILENT],
];

const says = (text: string, format: TextFormat) => findMention(text, format, '@agent').mention !== null;

test.each(ALL.map((format) => [format]))(
  'B: %s: what the site shows as its writer’s words commands, nothing else',
  (format) => {
    const wrong = TABLE.filter(([formats]) => formats.includes(format)).flatMap(([, spoken, silent]) => [
      ...spoken.filter((text) => !says(text, format)).map((text) => `silent, but should be spoken: ${text}`),
      ...silent.filter((text) => says(text, format)).map((text) => `spoken, but should be silent: ${text}`),
    ]);
    expect(wrong).toEqual([]);
  },
);

test('B: HTML and dollars are text where a site shows them as text', () => {
  const shown = [
    '<!-- @agent fix it -->',
    '<code>@agent fix it</code>',
    '$@agent fix$',
    '$$\n@agent fix\n$$',
  ];
  for (const format of ['bitbucket', 'linear'] as const)
    expect(shown.filter((text) => !says(text, format))).toEqual([]);
});
