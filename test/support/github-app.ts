import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { GithubApp } from '../../src/github-app/record.ts';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import { secret } from '../../src/lib/redact/redact.ts';

/** What a request said. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  /** `app` by a valid JWT, the token itself, or null. */
  readonly by: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Issued {
  readonly token: string;
  readonly repositories: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

/** The parts of GitHub that an App speaks to, on loopback: REST with JWT and tokens, as its published types have them. */
export interface LoopbackGithub {
  readonly url: string;
  readonly calls: SeenCall[];
  readonly issued: Issued[];
  readonly hook: Record<string, unknown>;
  readonly checks: Record<string, unknown>[];
  readonly comments: Record<string, unknown>[];
  /** By login: who may do what on the repositories. */
  people: Record<string, { readonly id: number; readonly permission: string }>;
  /** Of GitHub's clock against ours, in ms. */
  clockAhead: number;
  lifetimeMs: number;
  /** Shape of tokens: 40 characters, or the new one with two dots. */
  shape: 'short' | 'long';
  /** Repositories on which the App is installed, `acme/api`. */
  installed: string[];
  permissions: Record<string, string>;
  /** Status with which the next calls of this path are answered. */
  readonly faults: {
    readonly path: RegExp;
    readonly status: number;
    readonly headers?: Record<string, string>;
    times: number;
  }[];
  /** The App as its record has it. */
  app(changes?: Partial<GithubApp>): GithubApp;
  /** What the codes of registrations are good for, once. */
  readonly codes: Map<string, Record<string, unknown>>;
  readonly manifests: Record<string, unknown>[];
  /** What GitHub's page does when a person confirms a manifest. */
  register(manifest: Record<string, unknown>): { readonly code: string; readonly redirectUrl: string };
  close(): Promise<void>;
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export const PEM = privateKey;
const APP_ID = 4242;
export const HEAD = '6dcb09b5b57875f334f61aebed695e2e4193db5e';

/** The limits of check runs, as GitHub's description of its API has them. */
function checkProblem(body: Record<string, unknown>): string | null {
  const {
    status,
    conclusion,
    output,
    actions = [],
  } = body as {
    status?: string;
    conclusion?: string;
    output?: { title?: string; summary?: string };
    actions?: { label: string; description: string; identifier: string }[];
  };
  if (status === 'completed' && !['success', 'failure', 'neutral', 'cancelled'].includes(conclusion ?? ''))
    return 'conclusion';
  if (status !== 'completed' && conclusion !== undefined) return 'conclusion';
  if (output === undefined || typeof output.title !== 'string' || (output.summary ?? '').length > 65_535)
    return 'output';
  const isLong = actions.some(
    ({ label, description, identifier }) =>
      label.length > 20 || description.length > 40 || identifier.length > 20,
  );
  return actions.length > 3 || isLong ? 'actions' : null;
}

export async function startGithub(): Promise<LoopbackGithub> {
  const server = createServer((request, response) => void answer(request, response));
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${port}`;
  const github: LoopbackGithub = {
    url,
    calls: [],
    issued: [],
    hook: {},
    checks: [],
    comments: [],
    people: {},
    clockAhead: 0,
    lifetimeMs: 3_600_000,
    shape: 'short',
    installed: ['acme/api'],
    permissions: {
      issues: 'write',
      pull_requests: 'write',
      checks: 'write',
      contents: 'write',
      metadata: 'read',
    },
    faults: [],
    codes: new Map(),
    manifests: [],
    register(manifest) {
      const { redirect_url: redirectUrl, hook_attributes: hook, default_permissions: permissions } = manifest;
      github.manifests.push(manifest);
      Object.assign(github.hook, hook, { secret: 'made-by-github' });
      github.permissions = permissions as Record<string, string>;
      const code = randomBytes(20).toString('hex');
      github.codes.set(code, {
        ...{
          id: APP_ID,
          slug: 'hookctl-test',
          node_id: 'A_x',
          owner: { login: 'octocat' },
          name: manifest.name,
        },
        ...{
          client_id: 'Iv1.abc',
          client_secret: 'client-secret-of-the-app',
          webhook_secret: 'made-by-github',
          pem: PEM,
        },
        ...{ permissions, events: manifest.default_events, html_url: `${url}/apps/hookctl-test` },
      });
      return { code, redirectUrl: String(redirectUrl) };
    },
    app: (changes = {}) => ({
      id: String(APP_ID),
      slug: 'hookctl-test',
      webUrl: url,
      apiUrl: url,
      privateNetwork: false,
      webhook: 'github',
      key: secret(PEM),
      clientId: 'Iv1.abc',
      clientSecret: secret('client-secret-of-the-app'),
      webhookSecret: secret('made-by-github'),
      botId: '777',
      createdAt: Date.now(),
      ...changes,
    }),
    close: () => closeServer(server),
  };
  const now = () => Date.now() + github.clockAhead;

  function isJwt(text: string): boolean {
    const [head = '', claims = '', signature = ''] = text.split('.');
    const told = (part: string) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    if (signature === '' || told(head).alg !== 'RS256') return false;
    const { iat, exp, iss } = told(claims) as { iat: number; exp: number; iss: string };
    const seconds = now() / 1000;
    const fits =
      String(iss) === String(APP_ID) &&
      iat <= seconds &&
      exp > seconds &&
      exp - iat <= 600 &&
      exp <= seconds + 600;
    return (
      fits &&
      verify(
        'sha256',
        Buffer.from(`${head}.${claims}`),
        createPublicKey(publicKey),
        Buffer.from(signature, 'base64url'),
      )
    );
  }

  function byOf(authorization: string | undefined): string | null {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    if (!token.startsWith('ghs_')) return isJwt(token) ? 'app' : null;
    const found = github.issued.find((each) => each.token === token);
    return found !== undefined && found.expiresAt > now() ? token : null;
  }

  function newToken(): string {
    if (github.shape === 'short') return `ghs_${randomBytes(18).toString('hex')}`;
    const part = (bytes: number) => randomBytes(bytes).toString('base64url');
    return `ghs_${APP_ID}_${part(60)}.${part(180)}.${part(120)}`;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const by = byOf(request.headers.authorization);
    const path = request.url ?? '';
    const method = request.method ?? '';
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    const say = (status: number, json: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        date: new Date(now()).toUTCString(),
        ...headers,
      });
      response.end(json === null ? '' : JSON.stringify(json));
    };
    github.calls.push({ method, path, by, body });
    const fault = github.faults.find((each) => each.times > 0 && each.path.test(path));
    if (fault !== undefined) {
      fault.times -= 1;
      return say(fault.status, { message: 'fault' }, fault.headers);
    }
    const route = `${method} ${path.split('?', 1)[0]}`;
    if (/^POST (?:\/organizations\/[\w-]+)?\/settings\/apps\/new$/.test(route)) {
      const made = github.register(JSON.parse(new URLSearchParams(text).get('manifest') ?? '{}'));
      const state = new URLSearchParams(path.split('?')[1]).get('state') ?? '';
      const back = `${made.redirectUrl}?code=${made.code}&state=${encodeURIComponent(state)}`;
      response.writeHead(302, { location: back });
      return void response.end();
    }
    const conversion = /^POST \/app-manifests\/([^/]+)\/conversions$/.exec(route)?.[1];
    if (conversion !== undefined) {
      const made = github.codes.get(conversion);
      github.codes.delete(conversion);
      return made === undefined ? say(404, { message: 'Not Found' }) : say(201, made);
    }
    if (route === 'GET /users/hookctl-test%5Bbot%5D')
      return say(200, { id: 777, login: 'hookctl-test[bot]' });
    if (by === null)
      return say(401, {
        message: "'Expiration time' claim ('exp') must be a numeric value representing the future time",
      });
    const inApp = by === 'app' ? appRoute(route, body) : null;
    if (inApp !== null) return say(inApp[0], inApp[1]);
    if (by === 'app') return say(401, { message: 'A JSON web token could not be decoded' });
    const [status, json] = tokenRoute(route, body, by);
    return say(status, json);
  }

  function appRoute(route: string, body: Record<string, unknown>): readonly [number, unknown] | null {
    const installation = /^GET \/repos\/([^/]+\/[^/]+)\/installation$/.exec(route)?.[1];
    const settings = {
      id: 99,
      html_url: `${url}/settings/installations/99`,
      permissions: github.permissions,
      suspended_at: null,
    };
    if (installation !== undefined)
      return github.installed.includes(installation.toLowerCase())
        ? [200, settings]
        : [404, { message: 'Not Found' }];
    if (route === 'GET /app/installations') {
      const owners = [...new Set(github.installed.map((each) => each.split('/')[0]))];
      return [200, owners.map((login) => ({ ...settings, account: { login } }))];
    }
    if (route === 'GET /app') return [200, { id: APP_ID, slug: 'hookctl-test' }];
    if (route === 'PATCH /app/hook/config') return [200, Object.assign(github.hook, body)];
    if (route === 'GET /app/hook/config') return [200, { ...github.hook, secret: '********' }];
    if (route !== 'POST /app/installations/99/access_tokens') return null;
    const { repositories, permissions } = body as {
      repositories: string[];
      permissions: Record<string, string>;
    };
    const known = github.installed.map((each) => each.split('/')[1]);
    const tooMuch = Object.entries(permissions).some(([name, level]) => {
      const given = github.permissions[name];
      return given === undefined || (level === 'write' && given === 'read');
    });
    if (tooMuch || repositories.length === 0 || repositories.some((name) => !known.includes(name)))
      return [422, { message: 'The permissions requested are not granted to this installation.' }];
    const expiresAt = now() + github.lifetimeMs;
    const made = { token: newToken(), repositories, permissions, expiresAt };
    github.issued.push(made);
    return [201, { ...made, expires_at: new Date(expiresAt).toISOString() }];
  }

  function tokenRoute(
    route: string,
    body: Record<string, unknown>,
    token: string,
  ): readonly [number, unknown] {
    const rights = github.issued.find((each) => each.token === token);
    const repo = /^\w+ \/repos\/[^/]+\/([^/]+)\//.exec(route)?.[1] ?? '';
    if (/^GET \/users\/hookctl-test%5Bbot%5D$/.test(route))
      return [200, { id: 777, login: 'hookctl-test[bot]' }];
    if (rights?.repositories.includes(repo) !== true)
      return [403, { message: 'Resource not accessible by integration' }];
    if (/^POST \/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments$/.test(route)) {
      const made = { id: github.comments.length + 1, user: { id: 777 }, ...body };
      github.comments.push(made);
      return [201, made];
    }
    if (/^GET \/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments/.test(route)) return [200, github.comments];
    if (/^POST \/repos\/[^/]+\/[^/]+\/issues\/(?:comments\/)?\d+\/reactions$/.test(route))
      return [201, { id: 1 }];
    const comment = /^PATCH \/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(route)?.[1];
    if (comment !== undefined) return [200, Object.assign(github.comments[Number(comment) - 1] ?? {}, body)];
    if (/^GET \/repos\/[^/]+\/[^/]+\/pulls\/\d+$/.test(route)) return [200, { head: { sha: HEAD } }];
    if (/^GET \/repos\/[^/]+\/[^/]+\/commits\/\w+\/check-runs$/.test(route))
      return [200, { total_count: github.checks.length, check_runs: github.checks }];
    const login = /^GET \/repos\/[^/]+\/[^/]+\/collaborators\/([^/]+)\/permission$/.exec(route)?.[1];
    if (login !== undefined) {
      const found = github.people[login];
      return found === undefined
        ? [404, { message: 'Not Found' }]
        : [200, { permission: found.permission, user: found }];
    }
    if (rights.permissions.checks !== 'write')
      return [403, { message: 'Resource not accessible by integration' }];
    const problem = checkProblem(body);
    if (/^POST \/repos\/[^/]+\/[^/]+\/check-runs$/.test(route)) {
      if (problem !== null || typeof body.name !== 'string' || body.head_sha !== HEAD)
        return [422, { message: problem ?? 'name, head_sha' }];
      const made = { id: 9_000 + github.checks.length, ...body };
      github.checks.push(made);
      return [201, made];
    }
    const check = /^PATCH \/repos\/[^/]+\/[^/]+\/check-runs\/(\d+)$/.exec(route)?.[1];
    if (check !== undefined) {
      const run = github.checks[Number(check) - 9_000];
      if (run === undefined) return [404, { message: 'Not Found' }];
      return problem === null ? [200, Object.assign(run, body)] : [422, { message: problem }];
    }
    return [404, { message: 'Not Found' }];
  }
  return github;
}
