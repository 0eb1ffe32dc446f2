import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

/**
 * What the model server does with a request: it says something, it refuses with a status, it never answers, or (`calls`) it asks once
 * for a tool that does not exist, and is silent when it is told so.
 */
export type Mood = { readonly says: string } | { readonly status: number } | 'silent' | 'calls';

export interface ModelApis {
  readonly url: string;
  /** Texts that the model was given, of all requests so far. */
  readonly heard: string;
  requests(): number;
  /** Who listed the tools of the MCP server at `/mcp`: `Authorization` of each `tools/list`. */
  readonly listedBy: readonly string[];
  close(): Promise<void>;
}

/** Four model APIs on one loopback port: Responses, chat completions, generateContent and Messages, all streamed. */
export async function startModelApis(mood: Mood): Promise<ModelApis> {
  let heard = '';
  let requests = 0;
  const listedBy: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readText(request);
    const path = request.url ?? '';
    if (path === '/mcp') {
      if (body.includes('tools/list')) listedBy.push(request.headers.authorization ?? '');
      return answerMcp(request, response, body);
    }
    if (request.method !== 'POST') return void response.writeHead(404).end('{}');
    requests += 1;
    heard += body;
    const isCall = mood === 'calls' && !body.includes(CALL.name);
    if (mood === 'silent' || (mood === 'calls' && !isCall)) return;
    if (typeof mood === 'object' && 'status' in mood) {
      const error = { type: 'error', message: 'the model refuses', code: mood.status, status: 'REFUSED' };
      response.writeHead(mood.status, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ type: 'error', error }));
    }
    const says = typeof mood === 'object' ? mood.says : null;
    if (path.includes('count_tokens') || path.includes('countTokens')) {
      response.setHeader('content-type', 'application/json').end('{"input_tokens":1,"totalTokens":1}');
    } else if (path.endsWith('/responses')) responses(response, says);
    else if (path.endsWith('/chat/completions')) completions(response, says, body);
    else if (path.includes('enerateContent')) generated(response, says, path.includes('stream'));
    else messages(response, says ?? '');
  }

  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    get heard() {
      return heard;
    },
    requests: () => requests,
    listedBy,
    async close() {
      server.closeAllConnections();
      await closeServer(server);
    },
  };
}

/** An MCP server over HTTP with one tool. */
function answerMcp(request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const { id, method, params } = JSON.parse(body) as {
    readonly id?: number;
    readonly method: string;
    readonly params?: { readonly protocolVersion?: string };
  };
  if (id === undefined) return void response.writeHead(202).end();
  const tool = {
    name: 'list_tasks',
    description: 'Lists tasks.',
    inputSchema: { type: 'object', properties: {} },
  };
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: params?.protocolVersion ?? '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'hookctl', version: '1' },
    },
    'tools/list': { tools: [tool] },
    ping: {},
  };
  const result = results[method];
  const said = result === undefined ? { error: { code: -32_601, message: 'no such method' } } : { result };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
}

function events(response: ServerResponse, all: readonly object[], named: boolean): void {
  response.setHeader('content-type', 'text/event-stream');
  for (const event of all) {
    const name = named && 'type' in event ? `event: ${event.type}\n` : '';
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
  }
}

/** A call of a tool that no program has: its name is in the request that answers it. */
const CALL = { id: 'call_0123456789', name: 'nothing_there' } as const;

function responses(response: ServerResponse, says: string | null): void {
  const usage = {
    ...{ input_tokens: 100, input_tokens_details: { cached_tokens: 40 } },
    ...{ output_tokens: 20, output_tokens_details: { reasoning_tokens: 5 }, total_tokens: 120 },
  };
  const content = [{ type: 'output_text', text: says, annotations: [] }];
  const call = { id: 'fc_1', type: 'function_call', call_id: CALL.id, name: CALL.name, arguments: '{}' };
  const message = { type: 'message', id: 'msg_1', role: 'assistant', content };
  const item = { ...(says === null ? call : message), status: 'completed' };
  const made = { id: 'resp_1', object: 'response', status: 'completed', output: [item], usage };
  const all = [
    { type: 'response.created', response: { ...made, status: 'in_progress', output: [], usage: null } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: says === null ? item : { ...item, content: [] },
    },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: made },
  ];
  events(response, all, true);
  response.end();
}

function completions(response: ServerResponse, says: string | null, body: string): void {
  const usage = {
    ...{ prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
    prompt_tokens_details: { cached_tokens: 40 },
  };
  const head = { id: 'c1', created: 1, model: 'mock-model' };
  if (!/"stream"\s*:\s*true/.test(body)) {
    const message = { role: 'assistant', content: says };
    const whole = {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(whole));
    return;
  }
  const chunk = (delta: object, finish: string | null) => ({
    ...{ ...head, object: 'chat.completion.chunk' },
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const call = { index: 0, id: CALL.id, type: 'function', function: { name: CALL.name, arguments: '{}' } };
  const said = says === null ? { tool_calls: [call] } : { content: says };
  const all = [
    chunk({ role: 'assistant', ...said }, null),
    chunk({}, says === null ? 'tool_calls' : 'stop'),
    { ...head, object: 'chat.completion.chunk', choices: [], usage },
  ];
  events(response, all, false);
  response.end('data: [DONE]\n\n');
}

function generated(response: ServerResponse, says: string | null, streamed: boolean): void {
  const part = says === null ? { functionCall: { name: CALL.name, args: {} } } : { text: says };
  const answer = {
    candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      ...{ promptTokenCount: 100, cachedContentTokenCount: 40, candidatesTokenCount: 20 },
      ...{ thoughtsTokenCount: 5, totalTokenCount: 125 },
    },
    modelVersion: 'gemini-mock',
  };
  if (streamed) {
    events(response, [answer], false);
    response.end();
  } else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
}

function messages(response: ServerResponse, says: string): void {
  const usage = {
    input_tokens: 60,
    output_tokens: 1,
    cache_read_input_tokens: 40,
    cache_creation_input_tokens: 0,
  };
  const message = {
    id: `msg_${crypto.randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
  };
  const all = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: says } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 20 },
    },
    { type: 'message_stop' },
  ];
  events(response, all, true);
  response.end();
}
