import { request } from 'node:http';
import { requireDescribed } from './described.ts';
import { type Server, tokenOf } from './server.ts';

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface AskOptions {
  readonly body?: unknown;
  /** Name, value, name, value, …: a name may come twice. In place of Host, token and type. */
  readonly rawHeaders?: readonly string[];
}

/**
 * One request to the management socket of a server, with its token, byte for byte as it is given here. Fails when the answer is not as
 * the OpenAPI document has it.
 */
export function ask(
  server: Server,
  method: string,
  path: string,
  { body, rawHeaders }: AskOptions = {},
): Promise<Asked> {
  const port = server.managementPort;
  const usual = ['host', `127.0.0.1:${port}`, ...bearer(tokenOf(server.sandbox)), ...JSON_TYPE];
  const content = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const given = rawHeaders ?? usual;
  const isFramed = given.some((name) => name === 'content-length' || name === 'transfer-encoding');
  const headers = isFramed ? given : [...given, 'content-length', String(Buffer.byteLength(content))];
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, setHost: false, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          const asked = { status: answer.statusCode ?? 0, headers: answer.headers, text };
          try {
            requireDescribed(method, path, asked);
            resolve(asked);
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    sent.on('error', reject).end(content);
  });
}

/** The same; fails unless the answer has this status, and gives its JSON. */
export async function expectJson<T = Record<string, unknown>>(
  status: number,
  ...[server, method, path, options]: Parameters<typeof ask>
): Promise<T> {
  const answer = await ask(server, method, path, options);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

export const JSON_TYPE = ['content-type', 'application/json'];

export function bearer(token: string): readonly string[] {
  return ['authorization', `Bearer ${token}`];
}
