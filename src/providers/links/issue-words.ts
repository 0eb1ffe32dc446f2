import { type Markup, textSpans } from '../../lib/text/index.ts';
import { withoutSpans } from '../../lib/text/spans.ts';
import type { JsonObject } from '../../types.ts';
import { writtenText } from '../jira/adf.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/** The words of an issue or ticket, in the payload of any event about it. */
interface IssueWords {
  readonly title: string;
  readonly body: string;
  readonly format: Markup;
  /** Id of the account that wrote them; null when the payload does not say. */
  readonly authorId: string | null;
  /** The author's role there; null when the payload does not say. */
  readonly association: string | null;
}

type Reader = (payload: JsonObject) => IssueWords | null;

function read(
  issue: JsonObject | null,
  body: string | null,
  words: Pick<IssueWords, 'format' | 'authorId'>,
): IssueWords | null {
  if (issue === null) return null;
  const association = textAt(issue, 'author_association');
  return { title: textAt(issue, 'title') ?? '', body: body ?? '', association, ...words };
}

function github(payload: JsonObject): IssueWords | null {
  const issue = objectAt(payload, 'issue');
  const authorId = textAt(issue, 'user', 'type') === 'Bot' ? null : idAt(issue, 'user', 'id');
  return read(issue, textAt(issue, 'body'), { format: 'markdown', authorId });
}

const READERS: Readonly<Record<string, Reader>> = {
  github,
  gitea: github,
  gitlab(payload) {
    const isIssue = textAt(payload, 'object_kind') === 'issue';
    const issue = objectAt(payload, isIssue ? 'object_attributes' : 'issue');
    return read(issue, textAt(issue, 'description'), {
      format: 'gitlab',
      authorId: idAt(issue, 'author_id'),
    });
  },
  bitbucket(payload) {
    const issue = objectAt(payload, 'issue');
    const authorId = idAt(issue, 'reporter', 'account_id');
    return read(issue, textAt(issue, 'content', 'raw'), { format: 'bitbucket', authorId });
  },
  linear(payload) {
    const own = objectAt(payload, 'data');
    const issue = objectAt(own, 'issue') ?? objectAt(payload, 'agentSession', 'issue') ?? own;
    return read(issue, textAt(issue, 'description'), {
      format: 'linear',
      authorId: idAt(issue, 'creatorId'),
    });
  },
  jira(payload) {
    const fields = objectAt(payload, 'issue', 'fields');
    const { text, textFormat } = writtenText(fields?.description);
    const account = objectAt(fields ?? undefined, 'creator');
    const authorId = idAt(account, 'accountId') ?? idAt(account, 'key') ?? idAt(account, 'name');
    const words = read(fields, text, { format: textFormat, authorId });
    return words === null ? null : { ...words, title: textAt(fields, 'summary') ?? '' };
  },
};

/** The words of the issue that an event is about; null where its payload has none. */
export function issueWordsIn(provider: string, payload: JsonObject): IssueWords | null {
  return Object.hasOwn(READERS, provider) ? (READERS[provider]?.(payload) ?? null) : null;
}

/** A text without quotes, blocks of code and comments. Names in a code span and addresses stay. */
export function namesIn(text: string, format: Markup): string {
  const spans = textSpans(text, format).filter(({ what }) => what !== 'an address' && what !== 'a code span');
  return withoutSpans(text, spans);
}
