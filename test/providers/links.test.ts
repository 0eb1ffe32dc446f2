import { expect, test } from 'vitest';
import { referencesOf } from '../../src/providers/links/change.ts';
import { namesOf, subjectsAt } from '../../src/providers/links/names.ts';

interface Row {
  readonly body?: string;
  readonly title?: string;
  readonly branch?: string;
}

/** References that count; those to tickets only where PROJ or ENG is the project. */
function referred(provider: string, row: Row): readonly string[] {
  const { body = '', title = '', branch = '' } = row;
  const found = referencesOf(provider, { body, title, branch, isFork: false, authorId: null });
  const names = found
    .filter(({ name, isKey }) => !isKey || /^(?:PROJ|ENG)-/.test(name))
    .map(({ name }) => name);
  return [...new Set(names)];
}

const NONE: readonly string[] = [];

/** Texts of descriptions, and what counts on each host. Numbers are those of the recorded rows. */
const DESCRIPTIONS: readonly (readonly [
  body: string,
  github: readonly string[],
  gitlab: readonly string[],
  gitea: readonly string[],
])[] = [
  ['Closes #4', ['#4'], ['#4'], ['#4']],
  ['closes #4', ['#4'], ['#4'], ['#4']],
  ['Closes: #4', ['#4'], ['#4'], ['#4']],
  ['It is done (resolves #4).', ['#4'], ['#4'], ['#4']],
  ['CLOSES #4', ['#4'], NONE, ['#4']],
  ['Closes:#4', NONE, NONE, NONE],
  ['closes\n#4', NONE, NONE, NONE],
  ['closes (#4)', NONE, NONE, NONE],
  ['closes  #4', ['#4'], ['#4'], ['#4']],
  ['fix #4 and #5', ['#4'], ['#4', '#5'], ['#4']],
  ['Closes #4, #5', ['#4'], ['#4', '#5'], ['#4']],
  ['closes #4 #5', ['#4'], ['#4', '#5'], ['#4']],
  ['Closes #4, #6, Related to #5', ['#4'], ['#4', '#6'], ['#4']],
  [
    'Resolves #10, resolves #11, resolves o/r#12',
    ['#10', '#11', 'o/r#12'],
    ['#10', '#11', 'o/r#12'],
    ['#10', '#11', 'o/r#12'],
  ],
  ['fixes issue #4', NONE, ['#4'], NONE],
  ['Fixing #4', NONE, ['#4'], NONE],
  ['implements #4', NONE, ['#4'], NONE],
  ['prefix #4', NONE, NONE, NONE],
  ['hotfix #4', NONE, NONE, NONE],
  ['see #4', NONE, NONE, NONE],
  ['part of #4', NONE, NONE, NONE],
  ['not closes #4', NONE, NONE, NONE],
  ["This doesn't fix #4", NONE, NONE, NONE],
  ['this does **not** close #4', NONE, NONE, NONE],
  ['cannot really ever close #4', NONE, NONE, NONE],
  ['It reports the cause instead of a fix: #4 is open, and instead of it closes #4', NONE, NONE, NONE],
  ['This is not slow any more. It closes #4', ['#4'], ['#4'], ['#4']],
  ['`closes #4`', NONE, NONE, NONE],
  ['```\ncloses #4\n```', NONE, NONE, NONE],
  ['> closes #4\n\nno', NONE, NONE, NONE],
  ['<!-- closes #4 -->', NONE, NONE, NONE],
  ['- closes #4', ['#4'], ['#4'], ['#4']],
  ['the message said "closes #4"', NONE, NONE, NONE],
  ['Closes [#4](https://github.com/o/r/issues/4)', NONE, NONE, NONE],
  [
    'Fix https://github.com/o/r/issues/4',
    ['https://github.com/o/r/issues/4'],
    NONE,
    ['https://github.com/o/r/issues/4'],
  ],
  ['Fixes https://gitlab.com/o/r/-/issues/4', NONE, ['https://gitlab.com/o/r/-/issues/4'], NONE],
  [
    'Fix https://github.com/o/r/issues/4#issuecomment-9',
    ['https://github.com/o/r/issues/4#issuecomment-9'],
    NONE,
    ['https://github.com/o/r/issues/4#issuecomment-9'],
  ],
  ['Closes o/r#4', ['o/r#4'], ['o/r#4'], ['o/r#4']],
  ['closes GH-4', NONE, NONE, NONE],
  ['closes #4abc', NONE, NONE, NONE],
  ['closes #4.5', NONE, NONE, NONE],
  ['closes !4', NONE, NONE, NONE],
  ['closes PROJ-1', ['PROJ-1'], ['PROJ-1'], ['PROJ-1']],
  ['Fixes ENG-1, ENG-2', ['ENG-1', 'ENG-2'], ['ENG-1', 'ENG-2'], ['ENG-1', 'ENG-2']],
  ['ENG-1 is open', NONE, NONE, NONE],
  ['relates to ENG-1', NONE, NONE, NONE],
  ['contributes to ENG-1', ['ENG-1'], ['ENG-1'], ['ENG-1']],
  ['closes UTF-8', NONE, NONE, NONE],
];

test.each(DESCRIPTIONS)('links: the description %j', (body, github, gitlab, gitea) => {
  const found = ['github', 'gitlab', 'gitea'].map((provider) => referred(provider, { body }));
  expect(found).toEqual([github, gitlab, gitea]);
});

test.each([
  ['fixes #6, resolve ticket #5 and see #9', ['#6', '#5']],
  ['Closing #8', ['#8']],
  ['fix bug 89', NONE],
  ['holds #123', NONE],
  ['not fixing #8', NONE],
] as const)('links: Bitbucket’s description %j', (body, expected) => {
  expect(referred('bitbucket', { body })).toEqual(expected);
});

test.each<readonly [string, Row, readonly string[]]>([
  ['a key in brackets', { title: '[PROJ-1] fix' }, ['PROJ-1']],
  ['a key in a branch', { branch: 'feature/PROJ-1-x' }, ['PROJ-1']],
  ['several keys', { title: 'PROJ-1 PROJ-2,PROJ-3' }, ['PROJ-1', 'PROJ-2', 'PROJ-3']],
  ['a number behind a key', { title: 'PROJ-12-34' }, NONE],
  ['small letters in a scope', { title: 'feat(proj-1): x' }, ['PROJ-1']],
  ['small letters before an underscore', { branch: 'feature/proj-1_x' }, ['PROJ-1']],
  ['a letter behind a key', { title: 'PROJ-1abc' }, NONE],
  ['a leading zero', { title: 'PROJ-01' }, NONE],
  ['no hyphen', { title: 'PROJ 1' }, NONE],
  ['a project of one letter', { title: 'A-1' }, NONE],
  ['encodings and hashes', { title: 'UTF-8 SHA-256 CVE-2026-1' }, NONE],
  ['versions in a branch', { branch: 'release-2026/lodash-4.17' }, NONE],
  ['a key behind a reverted pull request', { branch: 'revert-57-proj-9' }, ['PROJ-9']],
  ['a key behind an underscore', { title: 'MY_PROJ-5' }, NONE],
  ['Linear in a branch', { branch: 'ada/eng-1-login' }, ['ENG-1']],
  ['Linear that is skipped', { title: 'skip ENG-1: later' }, NONE],
  ['Linear that is ignored', { title: 'chore [ignore ENG-1]' }, NONE],
  ['a closing word in the title only', { title: 'closes #4' }, NONE],
])('links: %s', (_, row, expected) => {
  expect(referred('github', row)).toEqual(expected);
});

const PULL = {
  externalId: 'github:o/r#57',
  stableIds: ['github:github.com/repository/7#57'],
};

test.each([
  ['#4', { externalId: 'github:o/r#4', stableIds: ['github:github.com/repository/7#4'], isOther: false }],
  ['O/R#4', { externalId: 'github:o/r#4', stableIds: ['github:github.com/repository/7#4'], isOther: false }],
  ['o/other#4', { externalId: 'github:o/other#4', isOther: true }],
  [
    'https://github.com/o/r/issues/4#issuecomment-9',
    { externalId: 'github:o/r#4', stableIds: ['github:github.com/repository/7#4'], isOther: false },
  ],
  ['https://github.com/x/y/issues/4', { externalId: 'github:x/y#4', isOther: true }],
  ['https://evil.example/o/r/issues/4', { externalId: 'github:evil.example/o/r#4', isOther: true }],
  ['https://gitlab.com/o/r/-/issues/4', null],
] as const)('links: %s of a pull request names its subject', (reference, expected) => {
  expect(namesOf(PULL, reference)).toEqual(expected);
});

test.each([
  ['https://github.com/Acme/Web/pull/57', 'github:acme/web#57'],
  ['https://ghe.example/acme/web/pull/57/files', 'github:ghe.example/acme/web#57'],
  ['https://gitlab.com/group/sub/web/-/merge_requests/7', 'gitlab:group/sub/web!7'],
  ['https://git.example/group/web/-/issues/7', 'gitlab:git.example/group/web#7'],
  ['https://bitbucket.org/acme/web/pull-requests/7', 'bitbucket:acme/web!7'],
  ['https://acme.atlassian.net/browse/PROJ-1?focusedCommentId=3', 'jira:PROJ-1'],
  ['https://jira.example.com/jira/browse/PROJ-1', 'jira:jira.example.com/PROJ-1'],
  ['https://linear.app/Acme/issue/ENG-1/login-fails', 'linear:acme/ENG-1'],
  ['https://acme.sentry.io/issues/4711/', 'sentry:4711'],
  ['https://example.com/about', undefined],
  ['javascript:alert(1)', undefined],
] as const)('links: the page %s names %s', (address, externalId) => {
  expect(subjectsAt(address)[0]?.externalId).toBe(externalId);
});
