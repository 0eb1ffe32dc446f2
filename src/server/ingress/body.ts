import type { IncomingMessage } from 'node:http';

/** Bytes of each body that are not counted: however many large ones are under way, usual ones get in. */
const FREE_BYTES = 64 * 1024;

const LIMITS: BodyLimits = { heldBytes: 16 * 1024 * 1024, waitMs: 8_000, turnMs: 5_000 };

interface BodyLimits {
  /** Bytes of bodies beyond the free ones that all requests together may hold; the oldest body may go beyond them. */
  readonly heldBytes: number;
  /** A body that has waited so long for its turn is refused. */
  readonly waitMs: number;
  /** The oldest body is refused when it takes longer than this while others wait for it. */
  readonly turnMs: number;
}

/** Why a body was not read. `closed`: the sender went away and waits for no answer. */
export type BodyFailure = 'too_large' | 'busy' | 'closed';

type ReadBody = (request: IncomingMessage, limit: number) => Promise<Read>;

/** `release`: called once nothing holds the body any more. */
type Read =
  | { readonly ok: true; readonly body: Buffer; readonly release: () => void }
  | { readonly ok: false; readonly why: BodyFailure };

/** A body beyond the free bytes, from there until nothing holds it any more. */
interface LargeBody {
  counted: number;
  hasWaited: boolean;
  isWhole: boolean;
  /** Pauses or resumes its socket. */
  readonly flow: (mayFlow: boolean) => void;
  /** Refuses it after so many milliseconds; null for never. Replaces an earlier limit. */
  readonly refuseIn: (ms: number | null) => void;
}

/**
 * Makes a reader of request bodies that counts while they stream: a sender's Content-Length is a claim, and many
 * large bodies at once would otherwise end the process before a single signature was checked. Bodies that find no room
 * stay in their sockets until there is some. The oldest always goes on, so that they cannot all wait for each other.
 */
export function createBodyReader(limits: BodyLimits = LIMITS): ReadBody {
  const queue = createQueue(limits);
  return (request, limit) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      return Promise.resolve({ ok: false, why: 'too_large' });
    }
    const { promise, resolve } = Promise.withResolvers<Read>();
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    let large: LargeBody | null = null;

    function take(chunk: Buffer): void {
      if (isOver) return;
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) refuse('too_large');
      else if (size > FREE_BYTES) {
        large ??= largeBody(request, () => refuse('busy'));
        queue.grow(large, size - FREE_BYTES);
      }
    }

    // Listeners stay where they are: to remove four of them takes longer than all that they do.
    function end(result: Read): void {
      isOver = true;
      chunks.length = 0;
      resolve(result);
    }

    function refuse(why: BodyFailure): void {
      if (isOver) return;
      if (large !== null) queue.remove(large);
      // A paused socket keeps the rest of the body out of memory until it is closed.
      request.pause();
      end({ ok: false, why });
    }

    function whole(): void {
      if (isOver) return;
      if (!request.complete) {
        gone();
        return;
      }
      const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
      const held = large;
      if (held !== null) queue.received(held);
      end({ ok: true, body, release: () => held !== null && queue.remove(held) });
    }

    function gone(): void {
      refuse('closed');
    }

    request.on('data', take).on('end', whole).on('error', gone).on('close', gone);
    return promise;
  };
}

function largeBody(request: IncomingMessage, refuse: () => void): LargeBody {
  let timer: NodeJS.Timeout | undefined;
  return {
    counted: 0,
    hasWaited: false,
    isWhole: false,
    flow: (mayFlow) => void (mayFlow ? request.resume() : request.pause()),
    refuseIn(ms) {
      clearTimeout(timer);
      timer = ms === null ? undefined : setTimeout(refuse, ms);
    },
  };
}

/** The large bodies in the order in which they became large, and which of them may flow. */
function createQueue({ heldBytes, waitMs, turnMs }: BodyLimits) {
  const bodies = new Set<LargeBody>();
  const waiting = new Set<LargeBody>();
  let held = 0;
  let hurried: LargeBody | null = null;

  /** The oldest has time without end while no other waits. */
  function hurryOldest(): void {
    const [oldest] = bodies;
    if (oldest === undefined || oldest.isWhole || oldest === hurried) return;
    hurried = waiting.size > 0 ? oldest : null;
    oldest.refuseIn(hurried === null ? null : turnMs);
  }

  return {
    /** Counts so many bytes of it from now on. */
    grow(body: LargeBody, counted: number): void {
      bodies.add(body);
      held += counted - body.counted;
      body.counted = counted;
      const [oldest] = bodies;
      if (body === oldest || held <= heldBytes || waiting.has(body)) return;
      waiting.add(body);
      body.flow(false);
      if (!body.hasWaited) body.refuseIn(waitMs);
      body.hasWaited = true;
      hurryOldest();
    },

    received(body: LargeBody): void {
      body.isWhole = true;
      body.refuseIn(null);
    },

    remove(body: LargeBody): void {
      body.refuseIn(null);
      if (!bodies.delete(body)) return;
      waiting.delete(body);
      held -= body.counted;
      const [oldest] = bodies;
      for (const each of waiting) {
        if (held > heldBytes && each !== oldest) continue;
        waiting.delete(each);
        each.flow(true);
      }
      hurryOldest();
    },
  };
}
