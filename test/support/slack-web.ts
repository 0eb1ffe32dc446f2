import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

interface SlackButton {
  readonly action_id: string;
  readonly value: string;
  readonly text: { readonly text: string };
}

/** A message as Slack holds it. */
export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | null;
  text: string;
  blocks: readonly { readonly type: string; readonly elements?: readonly SlackButton[] }[];
  readonly metadata: unknown;
}

/** Slack's Web API on loopback, as far as posts with buttons need it. */
export interface SlackWeb {
  /** For `credentials.slack.baseUrl`. */
  readonly apiUrl: string;
  readonly messages: SlackMessage[];
  readonly ephemeral: unknown[];
  /** Called before a post is answered. */
  beforeAnswer: () => Promise<unknown>;
  close(): Promise<void>;
}

export const TEAM = 'T0ACME';

export async function startSlackWeb(): Promise<SlackWeb> {
  const messages: SlackMessage[] = [];
  const ephemeral: unknown[] = [];
  let next = 100;
  const answerTo = (path: string, body: Record<string, unknown>): object => {
    const { channel, text = '', blocks = [] } = body as Partial<SlackMessage>;
    if (path === '/api/chat.postEphemeral') {
      ephemeral.push(body);
      return { ok: true, message_ts: '1.0' };
    }
    if (path === '/api/chat.postMessage') {
      next += 1;
      const ts = `1700000000.${String(next).padStart(6, '0')}`;
      // A post to a member goes into a channel of its own.
      const to = (channel ?? '').replace(/^U/, 'D');
      const threadTs = typeof body.thread_ts === 'string' ? body.thread_ts : null;
      messages.push({ channel: to, ts, threadTs, text, blocks, metadata: body.metadata });
      return { ok: true, channel: to, ts, message: { type: 'message', ts, text, team: TEAM } };
    }
    if (path === '/api/chat.update') {
      const known = messages.find((each) => each.channel === channel && each.ts === body.ts);
      if (known === undefined) return { ok: false, error: 'message_not_found' };
      known.text = text;
      if (body.blocks !== undefined) known.blocks = blocks;
      return { ok: true, channel, ts: known.ts, text };
    }
    return { ok: false, error: 'unknown_method' };
  };
  const web: SlackWeb = {
    apiUrl: '',
    messages,
    ephemeral,
    beforeAnswer: async () => undefined,
    close: () => closeServer(server),
  };
  const server = createServer(async (incoming, response) => {
    const answer = answerTo(incoming.url ?? '', JSON.parse((await readText(incoming)) || '{}'));
    await web.beforeAnswer();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return Object.assign(web, { apiUrl: `http://127.0.0.1:${port}/api` });
}

/** The buttons that a message shows, by their labels. */
export function buttonsOf({ blocks }: SlackMessage): Readonly<Record<string, SlackButton>> {
  const elements = blocks.flatMap((block) => block.elements ?? []);
  return Object.fromEntries(elements.map((each) => [each.text.text, each]));
}

interface Press {
  readonly user?: string;
  /** The workspace of the user. */
  readonly team?: string;
  /** In place of that of the message. */
  readonly ts?: string;
  readonly channel?: string;
  readonly value?: string;
  readonly action?: string;
  /** Default: a new one for each press. */
  readonly trigger?: string;
}

let trigger = 0;

/** What Slack sends when somebody presses a button of a message. */
export function pressOf(message: SlackMessage, label: string, press: Press = {}): object {
  const { user = 'U0ADA', team = TEAM, ts = message.ts, channel = message.channel } = press;
  const button = buttonsOf(message)[label];
  trigger += 1;
  return {
    type: 'block_actions',
    user: { id: user, username: user.toLowerCase().slice(2), team_id: team },
    api_app_id: 'A0HOOKCTL',
    container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: false },
    trigger_id: press.trigger ?? `${trigger}.1.press`,
    team: { id: team, domain: 'acme' },
    enterprise: null,
    channel: { id: channel, name: 'general' },
    message: { type: 'message', ts, text: message.text, blocks: message.blocks },
    response_url: 'https://hooks.slack.com/actions/T0ACME/1/x',
    actions: [
      {
        type: 'button',
        block_id: 'b',
        action_id: press.action ?? button?.action_id ?? '',
        value: press.value ?? button?.value ?? '',
        action_ts: '1700000001.000001',
      },
    ],
  };
}

/** Posts an interaction, signed as Slack signs it. Returns the id of the delivery. */
export async function postInteraction(
  serverUrl: string,
  payload: object,
  { secret, now = Date.now() }: { readonly secret: string; readonly now?: number },
): Promise<{ readonly status: number; readonly text: string }> {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  const sent = request(`${serverUrl}/webhooks/slack`, {
    method: 'POST',
    // A connection of its own: an idle one may be closed while it is used again.
    agent: false,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await readText(response) };
}
