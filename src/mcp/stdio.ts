import type { Readable, Writable } from 'node:stream';
import { createMcpServer, type McpServerOptions } from './server.ts';

/**
 * MCP over a pair of streams, until the client closes its end or `stopping` is aborted. Nothing but protocol is written.
 * Both eras are served: who opens with `server/discover` (2026-07-28), and who opens with `initialize`.
 */
export async function serveMcpStdio(
  options: McpServerOptions,
  input: Readable,
  output: Writable,
): Promise<void> {
  const { serveStdio, StdioServerTransport } = await import('@modelcontextprotocol/server/stdio');
  const transport = new StdioServerTransport(input, output);
  const ended = Promise.withResolvers<void>();
  for (const event of ['end', 'close'] as const) input.once(event, ended.resolve);
  output.once('error', () => ended.resolve());
  const handle = serveStdio(() => createMcpServer(options), { transport, onerror: options.onError });
  if (options.stopping.aborted) ended.resolve();
  options.stopping.addEventListener('abort', () => ended.resolve(), { once: true });
  await ended.promise;
  await handle.close();
}
