import { isJsonObject } from '../../lib/json.ts';
import type { Account, JsonObject, Post, ReplyChannel } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call, commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { type Markup, markupOf } from '../kit/markdown.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, basicOrBearer, type Segments } from '../kit/reply.ts';
import { adfToText, toAdf } from './adf.ts';
import { isCloud, placeOf } from './site.ts';

/** Source: Jira's "Text Formatting Notation Help". */
const WIKI: Markup = {
  marks: { bold: ['*', '*'], italic: ['_', '_'], strike: ['-', '-'], code: ['{{', '}}'] },
  escape: escapeWiki,
  link: (text, url) => `[${text}|${url.replaceAll('|', '%7C').replaceAll(']', '%5D')}]`,
  heading: (line, { level }) => `h${level}. ${line}`,
  // Nothing inside can end it but its own word.
  code: (text) => `{noformat}\n${text.replaceAll('{noformat}', '{ noformat}')}\n{noformat}`,
  item: (line, { ordered, depth }) => `${(ordered ? '#' : '*').repeat(depth)} ${line}`,
  quote: (line) => `bq. ${line}`,
  rule: '----',
};

/** Markdown as Jira's wiki text, for Data Center. */
export function toWiki(markdown: string): string {
  return markupOf(WIKI, markdown);
}

/** Macros, links, mentions and images: text from outside must not make any. */
function escapeWiki(text: string): string {
  return text.replace(/[{}[\]!|~^]/g, '\\$&');
}

const PAGE = 100;
/** Jira shows every text, so that the mark is small and grey. */
const MARK_COLOR = '#97a0af';

/**
 * Comments on issues: REST version 3 with ADF on Cloud, version 2 with wiki text on Data Center. A comment cannot be
 * repeated safely: it is looked for first. Source: developer.atlassian.com, "Issue comments".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.jira.account,
  inert: inert.escaped,
  // 32,767 (Jira's default for comments), less what the formats add.
  textLimit: 30_000,

  subjectFields: ['issue'],
  place({ payload }) {
    const issue = objectAt(payload, 'issue') ?? (objectAt(payload, 'fields') === null ? null : payload);
    const { host, issue: name } = placeOf(payload, issue);
    return name === null ? null : { host: host === '' ? null : host, issue: name };
  },

  immediate: ({ asks }) => (asks == null ? null : { kind: 'comment' }),

  /** An API token of Cloud belongs to an e-mail address; a personal access token of Data Center is sent alone. */
  authorize: (account) => ({ accept: 'application/json', authorization: basicOrBearer(account) }),

  ...commentsApi({
    url: (account, { issue }) => urlOf(account, 'issue', issue, 'comment'),
    listUrl: (account, { issue }) =>
      `${urlOf(account, 'issue', issue, 'comment')}?orderBy=-created&maxResults=${PAGE}`,
    edit: {
      method: 'PUT',
      url: (account, { issue }, remoteId) => urlOf(account, 'issue', issue, 'comment', remoteId),
    },
    content,
    list: (answer) => objectsAt(answerJson(answer), 'comments'),
    textOf: bodyText,
    authorOf: (comment) => personOf(objectAt(comment, 'author')),
    whoami: {
      url: (account) => urlOf(account, 'myself'),
      read: (answer) => personOf(answerJson(answer)),
    },
  }),

  label: (account, place, label) =>
    call('PUT', urlOf(account, 'issue', place.issue), {
      update: { labels: [{ add: label.replaceAll(/\s+/g, '-') }] },
    }),
};

function urlOf(account: Account, ...segments: Segments): string {
  return `${account.baseUrl}/rest/api/${isCloud(account) ? '3' : '2'}${apiPath(...segments)}`;
}

function content({ id, text }: Post, account: Account): object {
  if (!isCloud(account)) {
    return { body: `{color:${MARK_COLOR}}${plainMarker(id)}{color}\n\n${toWiki(text)}` };
  }
  const marks = [{ type: 'textColor', attrs: { color: MARK_COLOR } }];
  const mark = { type: 'paragraph', content: [{ type: 'text', text: plainMarker(id), marks }] };
  return { body: { type: 'doc', version: 1, content: [mark, ...toAdf(text)] } };
}

/** Cloud names people by account id, Data Center by key. */
function personOf(person: unknown): string | null {
  const fields = isJsonObject(person) ? person : undefined;
  return idAt(fields, 'accountId') ?? idAt(fields, 'key');
}

function bodyText(comment: JsonObject): string {
  const adf = objectAt(comment, 'body');
  return adf === null ? (textAt(comment, 'body') ?? '') : adfToText(adf).text;
}
