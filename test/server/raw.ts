import { createHmac, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { SECRET } from '../support/secret.ts';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are, without a client that would tidy them up, and reads until the server hangs up. */
export function raw(port: number, request: string | Buffer, patienceMs = 30_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const finish = () => {
      socket.destroy();
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body });
    };
    socket.setEncoding('utf8').setTimeout(patienceMs, finish);
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', finish);
    socket.on('error', (error) => (text === '' ? reject(error) : finish()));
    socket.write(request);
  });
}

/** A request without a body that asks for the connection to be closed. */
export function request(method: string, target: string, headers: readonly string[]): string {
  return [`${method} ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n');
}

/** Makes requests that GitHub could send, as text, each with an id of its own. */
export function signedRequest(payload: object, event: string): (...headers: readonly string[]) => string {
  const body = JSON.stringify(payload);
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  return (...headers) =>
    [
      'POST /webhooks/github HTTP/1.1',
      'Host: x',
      'Content-Type: application/json',
      `X-GitHub-Event: ${event}`,
      `X-GitHub-Delivery: ${randomUUID()}`,
      `X-Hub-Signature-256: sha256=${signature}`,
      `Content-Length: ${body.length}`,
      ...headers,
      '',
      body,
    ].join('\r\n');
}

/** The statuses of all answers on one connection, until the server closes it. `closeSide`: ours ends with the bytes. */
export function allStatuses(port: number, bytes: string, { closeSide = false } = {}): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject).on('end', () => {
      socket.destroy();
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)));
    });
    if (closeSide) socket.end(bytes);
    else socket.write(bytes);
  });
}
