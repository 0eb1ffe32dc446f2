import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

/** One connection of Socket Mode, as its server sees it. */
export interface SocketSide {
  readonly received: string[];
  readonly openedAt: number;
  closed: boolean;
  send(frame: object | string): void;
  ping(): void;
  /** Closes it properly. */
  close(): void;
  /** Cuts it. */
  cut(): void;
  /** Neither reads nor answers any more. */
  freeze(): void;
}

/** An answer of `apps.connections.open`. */
interface OpenAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: object;
}

/** Slack's side of Socket Mode on loopback: `apps.connections.open` and its WebSocket (RFC 6455). */
export interface SlackSide {
  readonly url: string;
  readonly opened: IncomingMessage[];
  readonly sockets: SocketSide[];
  /** The open ones. */
  open(): readonly SocketSide[];
  /** What the next calls of `apps.connections.open` answer. */
  readonly answers: OpenAnswer[];
  /** Called with each new connection; default: says hello. */
  greet: (side: SocketSide) => void;
  /** Called with each frame of a client. */
  onFrame: (text: string, side: SocketSide) => void;
  close(): Promise<void>;
}

export const HELLO = {
  type: 'hello',
  num_connections: 1,
  debug_info: { host: 'applink-1', build_number: 7, approximate_connection_time: 18_060 },
  connection_info: { app_id: 'A1' },
};

export async function startSlack(): Promise<SlackSide> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      slack.opened.push(request);
      const ticket = randomUUID();
      const usual: OpenAnswer = {
        body: { ok: true, url: `${slack.url.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=A1` },
      };
      const { status = 200, headers = {}, body } = slack.answers.shift() ?? usual;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    });
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  let isClosing = false;
  const slack: SlackSide = {
    url: `http://127.0.0.1:${port}`,
    opened: [],
    sockets: [],
    open: () => slack.sockets.filter(({ closed }) => !closed),
    answers: [],
    greet: (side) => side.send(HELLO),
    onFrame: () => undefined,
    async close() {
      isClosing = true;
      for (const side of slack.sockets) side.cut();
      await closeServer(server);
    },
  };
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    // The server waits for its connections: one that was under way when it closed would keep it.
    if (isClosing) return void socket.destroy();
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const side = sideOf(slack, socket);
    slack.sockets.push(side);
    slack.greet(side);
  });
  return slack;
}

function sideOf(slack: SlackSide, socket: Socket): SocketSide {
  let isFrozen = false;
  let bytes = Buffer.alloc(0);
  const write = (opcode: number, payload: Buffer) => {
    if (!socket.destroyed && !isFrozen)
      socket.write(Buffer.concat([header(opcode, payload.length), payload]));
  };
  const side: SocketSide = {
    received: [],
    openedAt: performance.now(),
    closed: false,
    send: (frame) => write(1, Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame))),
    ping: () => write(9, Buffer.from('ping')),
    close: () => write(8, Buffer.from([3, 232])),
    cut: () => void socket.destroy(),
    freeze() {
      isFrozen = true;
    },
  };
  socket.on('error', () => undefined);
  socket.on('close', () => {
    side.closed = true;
  });
  socket.on('data', (data) => {
    if (isFrozen) return;
    bytes = Buffer.concat([bytes, data]);
    for (let frame = readClientFrame(bytes); frame !== null; frame = readClientFrame(bytes)) {
      bytes = bytes.subarray(frame.size);
      if (frame.opcode === 1) {
        side.received.push(frame.payload.toString());
        slack.onFrame(frame.payload.toString(), side);
      } else if (frame.opcode === 9) write(10, frame.payload);
      else if (frame.opcode === 8) {
        write(8, frame.payload);
        socket.end();
      }
    }
  });
  return side;
}

function header(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length]);
  if (length < 65_536) return Buffer.from([0x80 | opcode, 126, length >> 8, length & 255]);
  const long = Buffer.alloc(10);
  long[0] = 0x80 | opcode;
  long[1] = 127;
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

function readClientFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | null {
  if (bytes.length < 2) return null;
  const short = (bytes[1] ?? 0) & 127;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (bytes.length < start) return null;
  const length = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < start + length) return null;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(
    bytes.subarray(start, start + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)),
  );
  return { opcode: (bytes[0] ?? 0) & 15, payload, size: start + length };
}

let count = 0;

/** A message that calls the app, in its envelope. */
export function eventFrame(changes: Record<string, unknown> = {}, text = '<@U0HOOKBOT> analyze it') {
  count += 1;
  const id = `Ev${count}${randomUUID().slice(0, 8)}`;
  const ts = `17000${String(count).padStart(5, '0')}.000100`;
  return {
    envelope_id: randomUUID(),
    type: 'events_api',
    accepts_response_payload: false,
    retry_attempt: 0,
    retry_reason: '',
    payload: {
      token: 'x',
      team_id: 'T1',
      api_app_id: 'A1',
      event: { type: 'app_mention', user: 'U1', text, ts, channel: 'C1', event_ts: ts },
      type: 'event_callback',
      event_id: id,
      event_time: 1_700_000_000 + count,
      authorizations: [{ team_id: 'T1', user_id: 'U0HOOKBOT', is_bot: true }],
    },
    ...changes,
  };
}
