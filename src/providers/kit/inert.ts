import { readPostText } from '../../types/text.ts';

/**
 * What acts in a comment where it is posted, and how it is kept from acting: a zero-width space (U+200B) behind its first
 * sign. It is shown as before, also in code, and holds against the host's own renderer as well as against bots that read
 * the raw text; a span of code would stop the first alone, and an entity would be shown in code as it is written.
 */
interface Rule {
  /** Group 1, if there is one, is the text before what acts. */
  readonly find: RegExp;
  /** Behind so many characters of what acts; left out: behind all of them. */
  readonly behind?: number;
  readonly isUrlExempt?: true;
}

/** Makes a text of a post inert but for own words. */
type Inert = (marked: string) => string;

const ZERO_WIDTH = '\u200B';

/**
 * `@name`, `@org/team`, `@{account}`, `@dependabot merge`. Not in an address of mail, and not in the path of a URL that
 * every renderer makes a link, where a space would break it.
 */
const MENTION: Rule = { find: /(?<![A-Za-z0-9_])()@[\w{<-][\w.{}:/-]*/g, behind: 1, isUrlExempt: true };

/**
 * `/merge`, `/retest`: quick actions of GitLab, commands of Prow and other bots. At the beginning of a line, behind
 * blanks, marks of lists, quotes, headings, emphasis and tags, since each of those reads lines in its own way.
 */
const COMMAND: Rule = {
  find: /^((?:[^\p{L}\p{N}/\r\n]|\d{1,9}[.)]|\[[xX]\]|<\/?[a-zA-Z][^>\r\n]{0,100}>)*)\/[A-Za-z][\w-]*/gmu,
  behind: 1,
};

/** Hidden comments hold the state of bots, and marks of other hookctls; shown, they do nothing. */
const HIDDEN: Rule = { find: /()<!--/g, behind: 1 };

/** The mark by which a post is found again, also with a `\` in it as wikis escape it. */
const OWN_MARK: Rule = { find: /()hookctl(?=\\*:)/gi };

/** GitHub marks an issue as a duplicate by a comment. docs.github.com, "Marking issues or pull requests as a duplicate". */
const DUPLICATE: Rule = { find: /()\bduplicate(?=\s+of\b)/gi };

/** Gitea acts on these words of comments when the pull request is merged. go-gitea, `modules/references`. */
const CLOSING: Rule = {
  find: /()\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|reopen(?:s|ed)?)(?=[\s:]+(?:[\w.-]+\/[\w.-]+)?[#!]\d)/gi,
};

/** Linear makes a mention of the address of a profile. */
const PROFILE: Rule = { find: /()linear\.app\/[\w-]+\/(?=profiles\/)/gi };

const EVERYWHERE = [HIDDEN, OWN_MARK] as const;
const MARKDOWN = [MENTION, COMMAND, ...EVERYWHERE] as const;

/** One for each dialect. What a format has no sign for (a mention in Jira's ADF) its own writer escapes. */
export const inert = {
  github: inertBy([...MARKDOWN, DUPLICATE]),
  gitlab: inertBy(MARKDOWN),
  gitea: inertBy([...MARKDOWN, CLOSING]),
  bitbucket: inertBy(MARKDOWN),
  linear: inertBy([...MARKDOWN, PROFILE]),
  /** Sentry, and senders that say nothing of their markup. */
  markdown: inertBy(MARKDOWN),
  /** mrkdwn and wiki text are escaped as they are written, ADF is a tree, Discord gets `allowed_mentions: []`. */
  escaped: inertBy(EVERYWHERE),
} as const;

/** A link in every renderer: behind a blank or a bracket, with a host of several names, up to its path's end. */
const LINK = /(?<=^|[\s(])https?:\/\/[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d{1,5})?\/[^\s<>()"'`|\\]*/g;

function inertBy(rules: readonly Rule[]): Inert {
  return (marked) => {
    const { text, isOwn } = readPostText(marked);
    const links = text.includes('://') && text.includes('@') ? [...text.matchAll(LINK)] : [];
    const isInLink = (at: number) =>
      links.some((link) => at > link.index && at < link.index + link[0].length);
    const places = rules.flatMap(({ find, behind, isUrlExempt }) =>
      [...text.matchAll(find)].flatMap((match) => {
        const from = match.index + (match[1]?.length ?? 0);
        const to = match.index + match[0].length;
        const isExempt =
          isOwn.subarray(from, to).every((own) => own === 1) || (isUrlExempt && isInLink(from));
        return isExempt ? [] : [behind === undefined ? to : from + behind];
      }),
    );
    return withInserted(
      text,
      [...new Set(places)].sort((left, right) => left - right),
    );
  };
}

function withInserted(text: string, places: readonly number[]): string {
  let made = '';
  let copied = 0;
  for (const at of places) {
    made += text.slice(copied, at) + ZERO_WIDTH;
    copied = at;
  }
  return made + text.slice(copied);
}
