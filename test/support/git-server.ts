import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { closeServer, listen } from '../../src/lib/http/listen.ts';

/** A smart-HTTP server of git on loopback: git's own `http-backend`, behind Basic credentials. */
export interface GitServer {
  readonly url: string;
  /** User and password of each request; null without any. */
  readonly seen: (string | null)[];
  close(): Promise<void>;
}

/** Serves the bare repositories below a folder. `accepts`: whether a password opens a repository (`acme/api`). */
export async function startGitServer(
  folder: string,
  accepts: (password: string, repository: string) => boolean,
): Promise<GitServer> {
  const seen: (string | null)[] = [];
  const server = createServer((request, response) => {
    const basic = /^Basic (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    const login = basic === undefined ? null : Buffer.from(basic, 'base64').toString();
    seen.push(login);
    const repository = /^\/([^/]+\/[^/]+?)(?:\.git)?\//.exec(request.url ?? '')?.[1] ?? '';
    const [user, password = ''] = (login ?? '').split(/:(.*)/s);
    if (user !== 'x-access-token' || !accepts(password, repository)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' });
      return void response.end();
    }
    runBackend(folder, request, response);
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${port}`, seen, close: () => closeServer(server) };
}

/** CGI: the answer's headers come before an empty line. */
function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'x-access-token',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.on('close', () => {
    const all = Buffer.concat(parts);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(/:\s*/, 2));
    const status = Number(headers.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
    response.end(all.subarray(end + 4));
  });
}

/** A bare repository with one commit that may be pushed to. */
export function bareRepository(folder: string, name: string): string {
  const path = join(folder, `${name}.git`);
  mkdirSync(path, { recursive: true });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: path, stdio: 'pipe' });
  git('init', '--bare', '-q', '-b', 'main');
  git('config', 'http.receivepack', 'true');
  return path;
}
