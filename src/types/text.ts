/**
 * The markup in which a text is written. It decides what counts as a quote or as code.
 *
 * `markdown`: GitHub Flavored Markdown, also that of Gitea, Forgejo and Sentry. `gitlab`: the same with `>>>` quotes.
 * `bitbucket`, `linear`: Markdown whose HTML is shown as text. `mrkdwn`: Slack, entities decoded. `jira-wiki`: Jira's wiki
 * markup. `plain`: no markup; only quoted mail is set apart.
 */
export const TEXT_FORMATS = [
  'markdown',
  'gitlab',
  'bitbucket',
  'linear',
  'mrkdwn',
  'jira-wiki',
  'plain',
] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** Part of a text that its writer does not say: a quote, code, or what is not shown (comments, addresses of links). */
export interface TextSpan {
  readonly kind: 'quoted' | 'code' | 'hidden';
  /** Position of the first character. */
  readonly from: number;
  /** Position behind the last character. */
  readonly to: number;
  /** What it is, with its article, for people: `a code span`. */
  readonly what: string;
}
