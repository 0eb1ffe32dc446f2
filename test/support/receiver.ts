import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

/** A request as it arrived at the other end. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answering {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer comes when this resolves. */
  readonly when?: Promise<unknown>;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
}

/** Somebody else's server, which keeps what it is sent; ends with the running test. */
export async function receiverForTest(
  answer: (request: Received, count: number) => Answering = () => ({ status: 204 }),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const seen = { path: request.url ?? '', headers: request.headers, body: await buffer(request) };
    received.push(seen);
    const { status, headers = {}, when } = answer(seen, received.length);
    await when;
    response.writeHead(status, headers).end();
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => closeServer(server));
  return { url: `http://127.0.0.1:${port}/hook`, received };
}
