import type { IncomingMessage } from 'node:http';

/** Bytes of each body that are not counted: however many large ones are under way, usual ones get in. */
const FREE_BYTES = 64 * 1024;

/** Bytes of bodies beyond those that all requests together may hold, until each is answered. */
const MEMORY_LIMIT = 64 * 1024 * 1024;

/** Why a body was not read. `closed`: the sender went away, nobody waits for an answer. */
export type BodyFailure = 'too_large' | 'busy' | 'closed';

export type ReadBody = (request: IncomingMessage, limit: number) => Promise<Read>;

/** `release`: called once nothing holds the body any more. */
export type Read =
  | { readonly ok: true; readonly body: Buffer; readonly release: () => void }
  | { readonly ok: false; readonly why: BodyFailure };

/**
 * Makes a reader of request bodies that counts while they stream: a sender's Content-Length is a claim, and many
 * large bodies at once would otherwise end the process before a single signature was checked.
 */
export function createBodyReader(memoryLimit: number = MEMORY_LIMIT): ReadBody {
  let held = 0;
  return (request, limit) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      return Promise.resolve({ ok: false, why: 'too_large' });
    }
    const { promise, resolve } = Promise.withResolvers<Read>();
    const chunks: Buffer[] = [];
    let size = 0;
    let counted = 0;

    function take(chunk: Buffer): void {
      size += chunk.length;
      held -= counted;
      counted = Math.max(0, size - FREE_BYTES);
      held += counted;
      if (size > limit) end({ ok: false, why: 'too_large' });
      else if (counted > 0 && held > memoryLimit) end({ ok: false, why: 'busy' });
      else chunks.push(chunk);
    }

    function end(result: Read): void {
      request.off('data', take).off('end', whole).off('error', gone).off('close', gone);
      if (!result.ok) held -= counted;
      // What may still come is nobody's: a paused socket keeps it out of memory until it is closed.
      if (!result.ok) request.on('error', () => undefined).pause();
      resolve(result);
    }

    function whole(): void {
      const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
      const release = () => {
        held -= counted;
      };
      end(request.complete ? { ok: true, body, release } : { ok: false, why: 'closed' });
    }

    function gone(): void {
      end({ ok: false, why: 'closed' });
    }

    request.on('data', take).on('end', whole).on('error', gone).on('close', gone);
    return promise;
  };
}
