import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { closeServer, listen } from '../../src/lib/http-server.ts';

/** A call of a tool that the model makes. */
export interface ToolCall {
  readonly name: string;
  readonly input: object;
}

export interface MessagesApi {
  readonly url: string;
  /** What the tools of the script answered to the model, in order. */
  readonly results: readonly string[];
  close(): Promise<void>;
}

interface Block {
  readonly type: string;
  readonly content?: string | readonly { readonly text?: string }[];
}

interface MessagesRequest {
  readonly tools?: readonly { readonly name: string }[];
  readonly messages: readonly { readonly content: string | readonly Block[] }[];
}

/** Claude Code loads the Task tools only when the model looks for them. */
const FIND_TOOLS: ToolCall = {
  name: 'ToolSearch',
  input: { query: 'select:TaskCreate,TaskGet,TaskList,TaskUpdate', max_results: 10 },
};

/**
 * The Messages API on a loopback port, played from a script: each request of the session is answered with the next call,
 * the last one with a text. Where a conversation stands is seen from the tool results that it brings.
 */
export async function startMessagesApi(script: readonly ToolCall[]): Promise<MessagesApi> {
  let results: readonly string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readText(request);
    if (!request.url?.startsWith('/v1/messages') || request.url.includes('count_tokens')) {
      response.setHeader('content-type', 'application/json').end('{"input_tokens":1}');
      return;
    }
    const message = JSON.parse(body) as MessagesRequest;
    const names = message.tools?.map(({ name }) => name) ?? [];
    if (!names.includes('ToolSearch')) return play(response, []);
    const told = message.messages.flatMap(({ content }) => resultsIn(content));
    results = told.slice(1);
    const call = [FIND_TOOLS, ...script][told.length];
    play(response, call === undefined ? [] : [call]);
  }

  const server = createServer((request, response) => void answer(request, response));
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    get results() {
      return results;
    },
    close: () => closeServer(server),
  };
}

function resultsIn(content: string | readonly Block[]): readonly string[] {
  if (typeof content === 'string') return [];
  const blocks = content.filter(({ type }) => type === 'tool_result');
  return blocks.map(({ content: result = '' }) =>
    typeof result === 'string' ? result : result.map(({ text = '' }) => text).join('\n'),
  );
}

/** One answer as server-sent events. */
function play(response: ServerResponse, calls: readonly ToolCall[]): void {
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
  const text = { start: { type: 'text', text: '' }, delta: { type: 'text_delta', text: 'Done.' } };
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
