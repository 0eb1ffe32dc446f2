/*
 * Slack's message text: `&`, `<` and `>` that a person typed are entities; a real `<…>` is something that Slack put
 * there. Source: docs.slack.dev, "Formatting message text" (retrieving messages).
 */

const TOKEN_OR_ENTITY = /<([^<>]*)>|&(?:amp|lt|gt);/g;

/** Who is addressed: a mention of this user becomes the prefix of commands. */
export interface Addressee {
  /** The app's own bot user; null when the request does not name it. */
  readonly botUser: string | null;
  readonly prefix: string;
}

/** Text as a person would read it, in one pass, so that a typed `&lt;` stays `&lt;`. */
export function plainText(text: string, { botUser, prefix }: Addressee): string {
  return text.replace(TOKEN_OR_ENTITY, (match, token: string | undefined, offset: number) => {
    if (token === undefined) return decodeEntities(match);
    if (botUser === null || mentionedUser(token) !== botUser) return readToken(token);
    const before = /\S$/.test(text.slice(0, offset)) ? ' ' : '';
    const after = /^[\p{L}\p{N}]/u.test(text.slice(offset + match.length)) ? ' ' : '';
    return before + prefix + after;
  });
}

/** The three characters that Slack wants escaped. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The user that a text mentions first; null when it mentions none. */
export function firstMention(text: string): string | null {
  return /<@([UW][A-Z0-9]+)/.exec(text)?.[1] ?? null;
}

/** Whether a text mentions this user. */
export function mentions(text: string, user: string): boolean {
  return text.includes(`<@${user}>`) || text.includes(`<@${user}|`);
}

function mentionedUser(token: string): string | null {
  return /^@([UW][A-Z0-9]+)(?:\||$)/.exec(token)?.[1] ?? null;
}

/**
 * Users and groups are shown by id, although a name may follow it: somebody who calls themselves `agent` would
 * otherwise turn every mention of them into a command.
 */
function readToken(token: string): string {
  const [target = '', ...rest] = token.split('|');
  const label = decodeEntities(rest.join('|'));
  const user = mentionedUser(token);
  if (user !== null) return `@${user}`;
  if (target.startsWith('#')) return `#${label || target.slice(1)}`;
  if (target.startsWith('!subteam^')) return `@${target.slice('!subteam^'.length)}`;
  if (target.startsWith('!date^')) return label;
  if (target.startsWith('!')) return `@${target.slice(1).split('^')[0]}`;
  return readLink(decodeEntities(target), label);
}

/** A label that is the address itself (typed without `https://`) says nothing more. */
function readLink(address: string, label: string): string {
  const bare = address.replace(/^mailto:/, '');
  return label === '' || address.endsWith(label) ? bare : `${label} (${bare})`;
}

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_, name: string) =>
    name === 'amp' ? '&' : name === 'lt' ? '<' : '>',
  );
}
