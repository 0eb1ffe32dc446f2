import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { McpBackend } from './backend.ts';
import type { RunScope } from './scope.ts';
import { createMcpServer, type McpServerOptions } from './server.ts';

/** MCP over Streamable HTTP. The caller has checked token, Host and Origin. */
export interface McpEndpoint {
  /** `scope`: what the caller's token allows; null when everything. */
  answer(request: Request, scope: RunScope | null): Promise<Response>;
  /** Ends the calls that wait. */
  close(): Promise<void>;
}

interface McpEndpointOptions extends Pick<McpServerOptions, 'now' | 'onError'> {
  readonly backendOf: (scope: RunScope | null) => McpBackend;
}

/** Every request is served on its own, so that nothing of a connection is lost when hookctl is restarted. */
export function createMcpEndpoint({ backendOf, now, onError }: McpEndpointOptions): McpEndpoint {
  const stop = new AbortController();
  let handler: Promise<McpHttpHandler> | null = null;

  async function open(): Promise<McpHttpHandler> {
    const { createMcpHandler } = await import('@modelcontextprotocol/server');
    return createMcpHandler(({ authInfo }) => {
      const scope = (authInfo?.extra?.scope ?? null) as RunScope | null;
      const stopping = stop.signal;
      return createMcpServer({ backend: backendOf(scope), scope, agent: null, now, stopping, onError });
    });
  }

  return {
    async answer(request, scope) {
      handler ??= open().catch((error: unknown) => {
        // One request fails; the next tries again.
        handler = null;
        throw error;
      });
      const authInfo = { token: '', clientId: scope?.runId ?? 'operator', scopes: [], extra: { scope } };
      return (await handler).fetch(request, { authInfo });
    },
    async close() {
      stop.abort();
      await (await handler)?.close();
    },
  };
}
