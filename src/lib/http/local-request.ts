import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

interface LocalRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  /** Path of a unix socket that takes the request in place of the address in the URL. Default: none. */
  readonly socket?: string | null;
  /** Of silence, after which it fails. Default: none. */
  readonly timeoutMs?: number;
}

interface LocalAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * One request to a server on this machine, for commands that send no other: undici takes twice as long to load. Throws
 * what `node:http` throws, and an error when the server is silent for too long.
 */
export async function requestLocal(
  url: string,
  { method, headers, body, socket = null, timeoutMs }: LocalRequest,
): Promise<LocalAnswer> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      ...{ method, headers, agent: false },
      ...(socket !== null && { socketPath: socket }),
      ...(timeoutMs && { timeout: timeoutMs }),
    });
    sent.on('timeout', () => sent.destroy(new Error('the server does not answer')));
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
    });
    sent.end(body ?? undefined);
  });
}

/** A `GET` whose answer is read as it comes. Throws what `node:http` throws. */
export async function openLocal(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request(url, { headers, signal, agent: false }).on('error', reject).on('response', resolve).end();
  });
}
