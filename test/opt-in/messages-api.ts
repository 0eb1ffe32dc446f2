import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

/** A call of a tool that the model makes. */
export interface ToolCall {
  readonly name: string;
  readonly input: object;
}

/** What the model does with one prompt: it calls these tools, one after the other, then says something. */
export interface Turn {
  readonly calls: readonly ToolCall[];
  readonly says: string;
}

export interface MessagesApi {
  readonly url: string;
  /** What the tools of the last turn answered to the model, in order. */
  readonly results: readonly string[];
  /** Everything that the last request of a turn told the model, as JSON. */
  readonly told: string;
  close(): Promise<void>;
}

interface Block {
  readonly type: string;
  readonly content?: string | readonly { readonly text?: string }[];
}

interface MessagesRequest {
  readonly tools?: readonly { readonly name: string }[];
  readonly messages: readonly Message[];
}

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly Block[];
}

/**
 * The Messages API on a loopback port, played from a script of turns. Where a session stands is seen from what its
 * request brings: a turn is over with an answer that calls no tool, and a session that is resumed brings the earlier ones.
 */
export async function startMessagesApi(script: readonly ToolCall[] | readonly Turn[]): Promise<MessagesApi> {
  const turns = script.every((each) => 'calls' in each) ? script : [{ calls: script, says: 'Done.' }];
  let results: readonly string[] = [];
  let told = '';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readText(request);
    if (!request.url?.startsWith('/v1/messages') || request.url.includes('count_tokens')) {
      response.setHeader('content-type', 'application/json').end('{"input_tokens":1}');
      return;
    }
    const { tools, messages } = JSON.parse(body) as MessagesRequest;
    // Claude Code asks for more than what its user does, such as a title: that has no tools.
    if (!tools?.some(({ name }) => name === 'ToolSearch')) return play(response, [], 'A title');
    const ends = messages.flatMap((message, index) => (isEnd(message) ? [index] : []));
    const { calls, says } = turns[ends.length] ?? { calls: [], says: 'Done.' };
    const answers = messages.slice((ends.at(-1) ?? -1) + 1).flatMap(({ content }) => resultsIn(content));
    results = answers.slice(1);
    told = JSON.stringify(messages);
    const call = calls.length === 0 ? undefined : [findTools(calls), ...calls][answers.length];
    play(response, call === undefined ? [] : [call], says);
  }

  const server = createServer((request, response) => void answer(request, response));
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    get results() {
      return results;
    },
    get told() {
      return told;
    },
    close: () => closeServer(server),
  };
}

/** Claude Code loads these tools only when the model looks for them. */
function findTools(calls: readonly ToolCall[]): ToolCall {
  const names = [...new Set(calls.map(({ name }) => name))].join(',');
  return { name: 'ToolSearch', input: { query: `select:${names}`, max_results: 20 } };
}

function isEnd({ role, content }: Message): boolean {
  return (
    role === 'assistant' && (typeof content === 'string' || content.every(({ type }) => type !== 'tool_use'))
  );
}

function resultsIn(content: string | readonly Block[]): readonly string[] {
  if (typeof content === 'string') return [];
  const blocks = content.filter(({ type }) => type === 'tool_result');
  return blocks.map(({ content: result = '' }) =>
    typeof result === 'string' ? result : result.map(({ text = '' }) => text).join('\n'),
  );
}

/** One answer as server-sent events. */
function play(response: ServerResponse, calls: readonly ToolCall[], says: string): void {
  const send = (type: string, fields: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  const usage = { input_tokens: 1, output_tokens: 1 };
  response.setHeader('content-type', 'text/event-stream');
  const message = {
    id: `msg_${crypto.randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
  };
  send('message_start', {
    message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage },
  });
  const blocks = calls.map(({ name, input }) => ({
    start: { type: 'tool_use', id: `toolu_${crypto.randomUUID().replaceAll('-', '')}`, name, input: {} },
    delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) },
  }));
  const text = { start: { type: 'text', text: '' }, delta: { type: 'text_delta', text: says } };
  for (const [index, { start, delta }] of (blocks.length > 0 ? blocks : [text]).entries()) {
    send('content_block_start', { index, content_block: start });
    send('content_block_delta', { index, delta });
    send('content_block_stop', { index });
  }
  const reason = calls.length > 0 ? 'tool_use' : 'end_turn';
  send('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage });
  send('message_stop', {});
  response.end();
}
