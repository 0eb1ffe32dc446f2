import type { IncomingMessage } from 'node:http';

/** Bytes of unverified bodies that all requests together may hold. */
const MEMORY_LIMIT = 64 * 1024 * 1024;

/** Why a body was not read. `closed`: the sender went away, nobody waits for an answer. */
export type BodyFailure = 'too_large' | 'busy' | 'closed';

export type ReadBody = (
  request: IncomingMessage,
  limit: number,
) => Promise<
  { readonly ok: true; readonly body: Buffer } | { readonly ok: false; readonly why: BodyFailure }
>;

/**
 * Makes a reader of request bodies that counts while they stream: a sender's Content-Length is a claim, and many
 * large bodies at once would otherwise end the process before a single signature was checked.
 */
export function createBodyReader(memoryLimit: number = MEMORY_LIMIT): ReadBody {
  let held = 0;
  return async (request, limit) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) return { ok: false, why: 'too_large' };
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        held += chunk.length;
        if (size > limit) return { ok: false, why: 'too_large' };
        if (held > memoryLimit) return { ok: false, why: 'busy' };
        chunks.push(chunk);
      }
    } catch {
      return { ok: false, why: 'closed' };
    } finally {
      held -= size;
    }
    return request.complete ? { ok: true, body: Buffer.concat(chunks, size) } : { ok: false, why: 'closed' };
  };
}
