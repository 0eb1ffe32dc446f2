import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { isPrivateAddress, isPrivateHost } from '../../lib/http/addresses.ts';
import { type Environment, programEnvironment } from '../../lib/process/subprocess.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { insideFiles } from './inside.ts';
import { loopbackPorts, type SandboxSettings } from './settings.ts';

/** One side may have said all while the other still answers. */
const HALF_OPEN = { allowHalfOpen: true } as const;

interface SocketsOptions {
  /** Names the folder, so that what a kill leaves can be told. */
  readonly name: string;
  readonly settings: Pick<SandboxSettings, 'network' | 'hosts' | 'credentials'>;
  /** Port of the management API, which the sandbox reaches with the run's token; null when the API is not served. */
  readonly managementPort: number | null;
  readonly env: Environment;
  /** Called with what was refused, once for each host. */
  readonly note: (text: string) => void;
}

/** The ways out of a sandbox. */
interface Sockets {
  /** Shown inside as `/run/hookctl`. */
  readonly folder: string;
  /** Asks what runs inside to end; false while nothing inside listens. */
  terminate(): boolean;
  /** Ends what runs inside. */
  close(): Promise<void>;
}

/** Opens the sockets of one sandbox: control always, the proxy, hookctl's own tools and git's credentials as they are wanted. */
export async function openSockets(options: SocketsOptions): Promise<Sockets> {
  const { name, settings, managementPort } = options;
  const folder = await mkdtemp(join(tmpdir(), `hookctl-${name}-`));
  const open = new Set<Socket>();
  const controls = new Set<Socket>();
  const servers: Server[] = [];
  const serve = async (file: string, server: Server) => {
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket)).on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(join(folder, file), resolve),
    );
    servers.push(server);
  };
  for (const [file, text] of Object.entries(insideFiles))
    await writeFile(join(folder, file), text, { mode: 0o644 });
  await serve(
    'control.sock',
    createServer((socket) => {
      controls.add(socket);
      socket.resume().once('close', () => controls.delete(socket));
    }),
  );
  const relay = (file: string, port: number) =>
    serve(
      file,
      createServer(HALF_OPEN, (near) => tie(near, connect({ port, host: '127.0.0.1', ...HALF_OPEN }))),
    );
  if (managementPort !== null) await relay('management.sock', managementPort);
  for (const port of loopbackPorts(settings)) await relay(`port-${port}.sock`, port);
  if (settings.network === 'proxy') await serve('proxy.sock', createProxy(options));
  if (settings.credentials.length > 0) await serve('git.sock', createServer(HALF_OPEN, credentials(options)));
  return {
    folder,
    terminate() {
      for (const socket of controls) socket.write('end\n');
      return controls.size > 0;
    },
    async close() {
      for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function tie(near: Duplex, far: Duplex): void {
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy()).once('close', () => far.destroy());
  far.on('error', () => near.destroy()).once('close', () => near.destroy());
}

/**
 * A proxy that leads to the listed hosts alone: CONNECT, and absolute URLs of plain HTTP. Names are looked up here; one that
 * leads into a private network is refused unless it is listed as what it is.
 */
function createProxy({ settings: { hosts }, note }: SocketsOptions): Server {
  const told = new Set<string>();
  async function addressFor(host: string, port: number): Promise<string | null> {
    const isListed = hosts.some((pattern) => matches(pattern, host, port));
    const address = isListed ? await addressOf(host) : null;
    if (address !== null) return address;
    const place = escapeInvisibleLine(`${host}:${port}`);
    if (!told.has(place) && told.size < 100) {
      told.add(place);
      const why = isListed
        ? 'its name leads nowhere, or into a private network'
        : 'it is not in sandbox.hosts';
      note(`the sandbox refused ${place}: ${why}`);
    }
    return null;
  }
  const server = createHttpServer((request, response) => void forwardHttp(request, response, addressFor));
  server.on('connect', (request: IncomingMessage, near: Duplex, head: Buffer) => {
    near.on('error', () => near.destroy());
    const [, host = '', port = ''] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(request.url ?? '') ?? [];
    void addressFor(host, Number(port)).then((address) => {
      if (address === null)
        return near.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${REFUSED.length}\r\n\r\n${REFUSED}`);
      const far = connect({ port: Number(port), host: address, ...HALF_OPEN });
      far.once('connect', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.write(head);
        tie(near, far);
      });
      far.once('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
      return undefined;
    });
  });
  return server;
}

const REFUSED = 'hookctl: this host is not in sandbox.hosts of webhooks.yml\n';

async function forwardHttp(
  request: IncomingMessage,
  response: ServerResponse,
  addressFor: (host: string, port: number) => Promise<string | null>,
): Promise<void> {
  const url = URL.parse(request.url ?? '');
  const port = Number(url?.port || 80);
  const address =
    url?.protocol === 'http:' ? await addressFor(url.hostname.replace(/^\[|\]$/g, ''), port) : null;
  if (url === null || address === null) return void response.writeHead(403).end(REFUSED);
  const { 'proxy-connection': _, ...headers } = request.headers;
  const far = httpRequest(
    { host: address, port, path: url.pathname + url.search, method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  far.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(far);
}

function matches(pattern: string, host: string, port: number): boolean {
  const [name = '', only] = pattern.toLowerCase().split(':');
  const bare = host.toLowerCase().replace(/\.$/, '');
  const isName = name.startsWith('*.') ? bare.endsWith(name.slice(1)) : bare === name;
  return isName && (only === undefined ? port === 443 || port === 80 : port === Number(only));
}

/** Null when the name leads nowhere, or a public name into a private network. */
async function addressOf(host: string): Promise<string | null> {
  if (isIP(host) !== 0) return host;
  const found = await lookup(host).catch(() => null);
  if (found === null || (isPrivateAddress(found.address) && !isPrivateHost(host))) return null;
  return found.address;
}

/** Longest question of git's credential protocol, in bytes. */
const LONGEST_QUESTION = 8_192;

/** Answers git's credential helper inside with what the user's own helper says, for the listed hosts over https alone. */
function credentials({ settings, env, note }: SocketsOptions): (socket: Socket) => void {
  return (socket) => {
    let question = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      question += chunk;
      if (question.length > LONGEST_QUESTION) socket.destroy();
    });
    socket.once('end', () => {
      const fields = new Map(
        question.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
      );
      const host = fields.get('host') ?? '';
      if (fields.get('protocol') !== 'https' || !settings.credentials.includes(host)) {
        note(
          `the sandbox refused credentials for ${escapeInvisibleLine(host)}: it is not in sandbox.credentials`,
        );
        return socket.end();
      }
      const given = {
        ...programEnvironment(env, 'SSH_AUTH_SOCK'),
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: 'false',
      };
      const fill = execFile(
        'git',
        ['credential', 'fill'],
        { env: given, timeout: 30_000 },
        (error, stdout) => {
          socket.end(error === null ? stdout : '');
        },
      );
      fill.stdin?.end(`protocol=https\nhost=${host}\n\n`);
      return undefined;
    });
  };
}
