import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, messageOf } from '../errors.ts';
import { secret } from '../lib/redact/redact.ts';
import { idAt, objectsAt, textAt } from '../providers/kit/payload.ts';
import { answerJson, apiPath } from '../providers/kit/reply.ts';
import type { CallAnswer, JsonObject } from '../types.ts';
import type { GithubApps } from './apps.ts';
import { said, TryLater } from './client.ts';
import { type AppWish, manifestOf, registrationUrl } from './manifest.ts';
import { botLogin, type GithubApp, installUrl, writeApp } from './record.ts';

/** What is asked for: the App, and where it is to be. */
interface RegistrationOrder
  extends AppWish,
    Pick<GithubApp, 'webUrl' | 'apiUrl' | 'privateNetwork' | 'webhook'> {
  /** Null for the person's own account. */
  readonly organisation: string | null;
}

/** How far a registration is. */
export type RegistrationState =
  /** The page waits for its visitor. */
  | { readonly state: 'waiting' }
  /** GitHub gave a code, and is asked for the key. */
  | { readonly state: 'converting' }
  | { readonly state: 'made'; readonly app: GithubApp; readonly problem: string | null }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'expired' };

/** What the page shows to a request. */
export type PageAnswer =
  | {
      readonly kind: 'form';
      readonly action: string;
      readonly manifest: string;
      readonly order: RegistrationOrder;
    }
  | {
      readonly kind: 'made';
      readonly app: GithubApp;
      readonly installUrl: string;
      readonly problem: string | null;
    }
  | { readonly kind: 'refused'; readonly status: 400 | 403 | 404 | 502; readonly reason: string };

/** The one registration that can be open. */
export interface Registrations {
  /** Opens the page; an earlier one that was not used is closed. Returns its path. */
  open(
    order: RegistrationOrder,
    pageUrlOf: (path: string) => string,
  ): { readonly path: string; readonly expiresAt: number };
  /** Whether a path is the page that is open now. Constant time. */
  isPage(path: string): boolean;
  /** Answers a GET of the page: the form, or what came of the code with which GitHub leads back. Asked only where `isPage` holds. */
  answer(query: URLSearchParams): Promise<PageAnswer>;
  /** Null when none was opened. */
  current(): RegistrationState | null;
  /** On whose repositories an App is installed, by the owner's name. Throws `TryLater`. */
  owners(app: GithubApp): Promise<readonly string[]>;
}

const PATH = '/connect/github/';
const LIFETIME_MS = 600_000;
/** GitHub keeps the code for an hour. */
const CONVERSION_TRIES = 5;

interface Open {
  readonly path: string;
  readonly state: string;
  readonly order: RegistrationOrder;
  readonly redirectUrl: string;
  readonly expiresAt: number;
  progress: RegistrationState;
}

interface RegistrationOptions {
  readonly apps: GithubApps;
  readonly dataFolder: string;
  readonly now: () => number;
  /** Called when the key is stored: gives the App's hook its secret. Resolves with what did not work; null when all did. */
  readonly made: (app: GithubApp) => Promise<string | null>;
  /** Between two tries of the conversion, in ms. */
  readonly retryMs?: number;
}

export function createRegistrations(options: RegistrationOptions): Registrations {
  const { apps, dataFolder, now, made, retryMs = 2_000 } = options;
  let open: Open | null = null;

  const isUsable = (each: Open | null): each is Open =>
    each !== null && each.progress.state === 'waiting' && now() < each.expiresAt;

  async function convert(code: string, order: RegistrationOrder): Promise<CallAnswer> {
    const path = apiPath('app-manifests', code, 'conversions');
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await apps.client.call(order, { method: 'POST', path }, null);
      } catch (error) {
        if (!(error instanceof TryLater) || attempt === CONVERSION_TRIES) throw error;
        await delay(error.afterMs ?? retryMs);
      }
    }
  }

  /** The key is on disk before anything else is asked: GitHub tells it once. */
  async function take(code: string, order: RegistrationOrder): Promise<GithubApp> {
    const answer = await convert(code, order);
    const app = appIn(answerJson(answer) as JsonObject, order, now());
    if (answer.status !== 201 || app === null) {
      throw failure('github_app', `GitHub gives no App for the code: ${said(answer)}`, {
        fix: 'Begin again: hookctl connect github --app',
      });
    }
    await writeApp(dataFolder, app);
    apps.reload();
    return app;
  }

  async function withBot(app: GithubApp): Promise<GithubApp> {
    const path = apiPath('users', botLogin(app));
    const answer = await apps.client.call(app, { method: 'GET', path }, null).catch(() => null);
    const botId = answer === null ? null : idAt(answerJson(answer), 'id');
    if (botId === null) return app;
    await writeApp(dataFolder, { ...app, botId });
    apps.reload();
    return { ...app, botId };
  }

  return {
    open(order, pageUrlOf) {
      const path = PATH + randomBytes(32).toString('base64url');
      open = {
        path,
        state: randomBytes(32).toString('base64url'),
        order,
        redirectUrl: pageUrlOf(path),
        expiresAt: now() + LIFETIME_MS,
        progress: { state: 'waiting' },
      };
      return { path, expiresAt: open.expiresAt };
    },
    isPage: (path) => isUsable(open) && isSame(path, open.path),
    async answer(query) {
      const registration = open;
      if (registration === null) throw new Error('there is no page');
      const { order, state, redirectUrl } = registration;
      const code = query.get('code');
      if (code === null) {
        const manifest = JSON.stringify(manifestOf(order, redirectUrl));
        const action = `${registrationUrl(order.webUrl, order.organisation)}?state=${state}`;
        return { kind: 'form', action, manifest, order };
      }
      if (!isSame(query.get('state') ?? '', state))
        return {
          kind: 'refused',
          status: 403,
          reason: 'the state is not the one that hookctl sent to GitHub',
        };
      if (!/^[\w.-]{1,200}$/.test(code))
        return { kind: 'refused', status: 400, reason: 'the code is none of GitHub’s' };
      // From here on the page is used.
      registration.progress = { state: 'converting' };
      try {
        const app = await withBot(await take(code, order));
        const problem = await made(app);
        registration.progress = { state: 'made', app, problem };
        return { kind: 'made', app, installUrl: installUrl(app), problem };
      } catch (error) {
        const reason = messageOf(error);
        registration.progress = { state: 'failed', reason };
        return { kind: 'refused', status: 502, reason };
      }
    },
    current() {
      if (open === null) return null;
      const isOver = open.progress.state === 'waiting' && now() >= open.expiresAt;
      return isOver ? { state: 'expired' } : open.progress;
    },
    async owners(app) {
      const answer = await apps.client.asApp(app, { method: 'GET', path: '/app/installations?per_page=100' });
      const list = answerJson(answer);
      return objectsAt(list).flatMap((each) => textAt(each, 'account', 'login') ?? []);
    },
  };
}

/** Compared in the same time wherever they differ. */
function isSame(given: string, right: string): boolean {
  const [left, other] = [Buffer.from(given), Buffer.from(right)];
  return left.length === other.length && timingSafeEqual(left, other);
}

function appIn(json: JsonObject | null, order: RegistrationOrder, at: number): GithubApp | null {
  const [id, slug, key] = [idAt(json ?? {}, 'id'), textAt(json ?? {}, 'slug'), textAt(json ?? {}, 'pem')];
  const [clientId, clientSecret] = [textAt(json ?? {}, 'client_id'), textAt(json ?? {}, 'client_secret')];
  const webhookSecret = textAt(json ?? {}, 'webhook_secret');
  if (id === null || slug === null || key === null || clientId === null || clientSecret === null) return null;
  return {
    ...{ id, slug, clientId },
    ...{
      webUrl: order.webUrl,
      apiUrl: order.apiUrl,
      privateNetwork: order.privateNetwork,
      webhook: order.webhook,
    },
    key: secret(key),
    clientSecret: secret(clientSecret),
    webhookSecret: webhookSecret === null ? null : secret(webhookSecret),
    botId: null,
    createdAt: at,
  };
}
