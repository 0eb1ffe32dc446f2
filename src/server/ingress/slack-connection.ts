import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { WebSocket as Socket } from 'undici';
import { type Frame, readFrame } from '../../providers/slack/frame.ts';

/** An open connection of Socket Mode. */
export interface SlackConnection {
  /** Resolves when another connection is needed: Slack announces the end of this one, or it is gone. */
  readonly leaving: Promise<Leaving>;
  readonly closed: Promise<void>;
  /** False when the connection is closed, so that nothing was sent. */
  send(text: string): boolean;
  /** Ends it; resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Why a connection needs a successor: Slack's reason in its `disconnect`, or how it was lost. */
interface Leaving {
  readonly isAnnounced: boolean;
  readonly reason: string;
}

interface ConnectionOptions {
  /** Called with every frame but `hello` and `disconnect`, also before `hello`. */
  readonly onFrame: (frame: Frame, connection: Pick<SlackConnection, 'send'>) => void;
  readonly timing: ConnectionTiming;
  /** Gives up waiting for `hello`. */
  readonly signal: AbortSignal;
}

/** In milliseconds. */
export interface ConnectionTiming {
  /** For the handshake, and again for Slack's `hello`. */
  readonly helloMs: number;
  /** Between two pings. */
  readonly pingMs: number;
  /** Without a frame or a pong a connection counts as lost. */
  readonly silenceMs: number;
  /** An old connection is still read so long after its successor is ready. */
  readonly overlapMs: number;
}

/** Opens a connection and waits for Slack's `hello`. Rejects when it does not come. */
export async function connectToSlack(
  url: string,
  { onFrame, timing, signal }: ConnectionOptions,
): Promise<SlackConnection> {
  const { Agent, WebSocket, ping } = await import('undici');
  const dispatcher = new Agent({ connect: { timeout: timing.helloMs } });
  const socket = new WebSocket(url, { dispatcher });
  const hello = Promise.withResolvers<void>();
  const leaving = Promise.withResolvers<Leaving>();
  const closed = Promise.withResolvers<void>();
  let heardAt = performance.now();

  const lost = (reason: string) => {
    hello.reject(new Error(reason));
    leaving.resolve({ isAnnounced: false, reason });
  };
  const heard = () => {
    heardAt = performance.now();
  };
  const onPong = (message: unknown) => {
    if ((message as { readonly websocket: Socket }).websocket === socket) heard();
  };
  subscribe(PONG, onPong);
  const watch = setInterval(() => {
    if (performance.now() - heardAt > timing.silenceMs) {
      lost(`nothing came for ${Math.round(timing.silenceMs / 1000)} s`);
      void dispatcher.destroy();
    } else if (socket.readyState === WebSocket.OPEN) ping(socket);
  }, timing.pingMs).unref();
  const giveUp = () => lost('Slack did not say hello in time');
  const patience = setTimeout(giveUp, timing.helloMs);
  signal.addEventListener('abort', giveUp, { once: true });

  socket.addEventListener('message', ({ data }) => {
    heard();
    if (typeof data !== 'string') return;
    const frame = readFrame(data);
    if (frame.kind === 'hello') hello.resolve();
    else if (frame.kind === 'disconnect') leaving.resolve({ isAnnounced: true, reason: frame.reason });
    else onFrame(frame, { send });
  });
  socket.addEventListener('error', ({ message }) => lost(`the connection failed: ${message}`));
  socket.addEventListener('close', ({ code, reason }) => {
    unsubscribe(PONG, onPong);
    clearInterval(watch);
    lost(`the connection was closed (${code}${reason === '' ? '' : `, ${reason}`})`);
    closed.resolve();
  });

  function send(text: string): boolean {
    if (socket.readyState !== WebSocket.OPEN) return false;
    socket.send(text);
    return true;
  }

  async function close(): Promise<void> {
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else if (socket.readyState === WebSocket.CONNECTING) await dispatcher.destroy();
    const grace = setTimeout(closed.resolve, CLOSING_MS);
    await closed.promise;
    clearTimeout(grace);
    clearInterval(watch);
    unsubscribe(PONG, onPong);
    await dispatcher.destroy();
  }

  try {
    await hello.promise;
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', giveUp);
  }
  return { leaving: leaving.promise, closed: closed.promise, send, close };
}

const PONG = 'undici:websocket:pong';
/** For the other side to close its half. */
const CLOSING_MS = 1_000;
