import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { McpBackend } from './backend.ts';
import type { RunScope } from './scope.ts';
import { createMcpServer, type McpServerOptions } from './server.ts';

/** MCP over Streamable HTTP. The caller has checked token, Host and Origin. */
export interface McpEndpoint<Caller> {
  /** For a caller whose token was looked at. */
  answer(request: Request, caller: Caller): Promise<Response>;
  /** Ends the calls that wait. */
  close(): Promise<void>;
}

interface McpEndpointOptions<Caller> extends Pick<McpServerOptions, 'now' | 'onError'> {
  /** How the tools of a caller reach what they may. */
  readonly backendOf: (caller: Caller) => McpBackend;
  /** The run that a caller is; null when it is none. */
  readonly scopeOf: (caller: Caller) => RunScope | null;
}

/** Every request is served on its own, so that nothing of a connection is lost when hookctl is restarted. */
export function createMcpEndpoint<Caller>({
  backendOf,
  scopeOf,
  now,
  onError,
}: McpEndpointOptions<Caller>): McpEndpoint<Caller> {
  const stop = new AbortController();
  let handler: Promise<McpHttpHandler> | null = null;

  async function open(): Promise<McpHttpHandler> {
    const { createMcpHandler } = await import('@modelcontextprotocol/server');
    return createMcpHandler(({ authInfo }) => {
      const caller = authInfo?.extra?.caller as Caller;
      const scope = scopeOf(caller);
      const stopping = stop.signal;
      return createMcpServer({ backend: backendOf(caller), scope, agent: null, now, stopping, onError });
    });
  }

  return {
    async answer(request, caller) {
      handler ??= open().catch((error: unknown) => {
        // One request fails; the next tries again.
        handler = null;
        throw error;
      });
      const authInfo = { token: '', clientId: '', scopes: [], extra: { caller } };
      return (await handler).fetch(request, { authInfo });
    },
    async close() {
      stop.abort();
      await (await handler)?.close();
    },
  };
}
