import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Payload {
  readonly issue: { readonly number: number };
}

/** A delivery as GitHub would send it. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Makes signed copies of a payload, each with an id of its own. */
export function signer(file: string, secret: string): () => Signed {
  const payload = JSON.parse(readFileSync(file, 'utf8')) as Payload;
  let made = 0;
  return () => {
    // Each about an issue of its own: what concerns one and the same is worked off one by one.
    const issue = { ...payload.issue, number: ((process.pid % 20_000) + 1) * 100_000 + ++made };
    const body = Buffer.from(JSON.stringify({ ...payload, issue, bench: randomUUID() }));
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'issues',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    };
    return { headers, body };
  };
}

/** A whole request, ready to be written to a connection. */
export function post({ host }: URL, path: string, { headers, body }: Signed): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${host}`,
    `content-length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}
