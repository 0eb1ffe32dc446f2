/** Where something was said. */
interface SlackThread {
  readonly team: string | null;
  readonly channel: string | null;
  /** Timestamp of the message that opened the thread, which is its id. */
  readonly thread: string | null;
}

/** `slack:T1:C1:1700000000.000100`: a thread; null where nothing can be answered in one. */
export function threadId({ team, channel, thread }: SlackThread): string | null {
  return team === null || channel === null || thread === null ? null : `slack:${team}:${channel}:${thread}`;
}

/**
 * The thread whichever workspace tells of it: in a shared channel (Slack Connect) both companies' deliveries name the same channel
 * and timestamp, under different `team_id`s. Source: docs.slack.dev, "Understanding Slack Connect" (names differ, ids are to be used);
 * slackapi/bolt-python `test_internals.py`, whose payloads of two workspaces name one channel.
 */
export function stableThreadIds({ channel, thread }: SlackThread): readonly string[] {
  return channel === null || thread === null ? [] : [`slack:slack.com/${channel}:${thread}`];
}

/** The address that Slack's own client shows for a channel or a thread. */
export function channelUrl({ team, channel, thread }: SlackThread): string | null {
  if (team === null || channel === null) return null;
  const base = `https://app.slack.com/client/${encodeURIComponent(team)}/${encodeURIComponent(channel)}`;
  return thread === null ? base : `${base}/thread/${encodeURIComponent(`${channel}-${thread}`)}`;
}
