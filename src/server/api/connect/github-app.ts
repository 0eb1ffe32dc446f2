import { randomBytes } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { type ConnectContext, connectorNamed } from '../../../connect/context.ts';
import { failure, messageOf, notFound } from '../../../errors.ts';
import type { GithubApps } from '../../../github-app/apps.ts';
import { TryLater } from '../../../github-app/client.ts';
import { type GithubApp, installUrl } from '../../../github-app/record.ts';
import type { PageAnswer, RegistrationState, Registrations } from '../../../github-app/registration.ts';
import { iso } from '../../../views.ts';
import { type ApiEnv, readBody } from '../route.ts';

/** What the routes of the GitHub App work with. */
export interface GithubAppParts {
  readonly apps: GithubApps;
  readonly registrations: Registrations;
  /** With which the App's hook is made and kept. */
  readonly connect: ConnectContext;
  /** Some agent pushes with tokens of the App. */
  readonly pushes: () => boolean;
  /** `http://127.0.0.1:8001`. */
  readonly managementUrl: () => string;
}

const Order = z.strictObject({
  webhook: z.string().min(1).nullable().default(null),
  organisation: z
    .string()
    .regex(/^[\w-]{1,39}$/)
    .nullable()
    .default(null),
  name: z.string().min(1).max(34).optional(),
  public: z.boolean().default(false),
});

/** What its routes validate with. */
export const schemas = { Order };

/**
 * `GET /github-apps`, `POST /github-apps/registration` opens the page on which a person makes an App, `GET` tells how far that is and
 * where the App is installed.
 */
export function githubAppRoutes(parts: GithubAppParts): Hono<ApiEnv> {
  const { apps, registrations } = parts;
  return new Hono<ApiEnv>()
    .get('/github-apps', (context) => context.json({ items: apps.list().map(appView) }))
    .post('/github-apps/registration', async (context) => {
      const body = await readBody(Order, context);
      const { receiverOf, settingsFor } = await import('../../../connect/plan.ts');
      const webhook = receiverOf(parts.connect, { connector: 'github', webhook: body.webhook });
      const site = siteOf(parts.connect);
      const { host } = new URL(site.webUrl);
      const present = apps.list().find(({ webUrl }) => new URL(webUrl).host === host);
      if (present !== undefined) {
        throw failure('app_exists', `there is an App on ${host} already: ${present.slug}`, {
          fix: `Install it on more repositories: ${installUrl(present)}. Or remove it first: hookctl connect remove ${present.slug}`,
        });
      }
      const hook = settingsFor(parts.connect, webhook, await connectorNamed('github'));
      const name = body.name ?? `hookctl-${body.organisation ?? 'app'}`.slice(0, 25);
      const order = {
        name: body.name ?? `${name}-${randomBytes(3).toString('hex')}`,
        ...{ hookUrl: hook.url, webhook: webhook.name, ...site },
        ...{ organisation: body.organisation, isPublic: body.public },
        ...{ events: hook.events, pushes: parts.pushes() },
      };
      const { path, expiresAt } = registrations.open(order, (at) => parts.managementUrl() + at);
      context.set('change', { what: 'github_app.ask', target: order.name, details: { host } });
      return context.json({ page_url: parts.managementUrl() + path, expires_at: iso(expiresAt) }, 201);
    })
    .get('/github-apps/registration', async (context) => {
      const current = registrations.current();
      if (current === null)
        throw notFound('no registration was opened', 'Type: hookctl connect github --app');
      return context.json(await registrationView(parts, current));
    });
}

/** GitHub itself, or the Enterprise Server that the account of replies is for. */
function siteOf({ accounts }: ConnectContext): Pick<GithubApp, 'webUrl' | 'apiUrl' | 'privateNetwork'> {
  const account = accounts.byProvider.get('github') ?? accounts.bare.get('github');
  const { baseUrl: apiUrl = 'https://api.github.com', privateNetwork = false } = account ?? {};
  const { hostname, origin } = new URL(apiUrl);
  return { webUrl: hostname === 'api.github.com' ? 'https://github.com' : origin, apiUrl, privateNetwork };
}

async function registrationView(parts: GithubAppParts, current: RegistrationState) {
  if (current.state !== 'made') return current;
  const { app, problem } = current;
  const [last] = parts.connect.store.deliveries({ webhook: app.webhook, limit: 1 });
  return {
    state: current.state,
    problem,
    app: appView(app),
    // GitHub's own limit or failure is no end of the wait.
    installed_by: await parts.registrations.owners(app).catch((error: unknown) => {
      if (error instanceof TryLater) return [];
      throw error;
    }),
    has_arrived: last !== undefined && last.receivedAt >= app.createdAt,
  };
}

function appView(app: GithubApp) {
  return {
    id: app.id,
    slug: app.slug,
    url: app.webUrl,
    api_url: app.apiUrl,
    webhook: app.webhook,
    install_url: installUrl(app),
    created_at: iso(app.createdAt),
  };
}

/** The page on which a person makes the App: one path, one use. It has no script, and leads to GitHub alone. */
export async function registrationPage(
  context: Context,
  registrations: Pick<Registrations, 'isPage' | 'answer'>,
): Promise<Response> {
  const { pathname, searchParams } = new URL(context.req.url);
  const answer: PageAnswer = registrations.isPage(pathname)
    ? await registrations.answer(searchParams)
    : { kind: 'refused', status: 404, reason: 'this page was used, or is too old' };
  const action = answer.kind === 'form' ? new URL(answer.action).origin : "'none'";
  context.header(
    'content-security-policy',
    [
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
      // A form's redirect back to this page counts, too.
      `form-action ${action}${answer.kind === 'form' ? " 'self'" : ''}`,
    ].join('; '),
  );
  context.header('referrer-policy', 'no-referrer');
  const status: ContentfulStatusCode = answer.kind === 'refused' ? answer.status : 200;
  return context.html(pageOf(answer), status);
}

function pageOf(answer: PageAnswer): string {
  switch (answer.kind) {
    case 'form': {
      const { order, action, manifest } = answer;
      return page(
        'A GitHub App for hookctl',
        `<p>GitHub will ask you to make the App <b>${escapeHtml(order.name)}</b>, which you can rename there. Its key comes to this machine and
        nowhere else.</p>
        <ul><li>It sends to <code>${escapeHtml(order.hookUrl)}</code></li>
        <li>${escapeHtml(order.organisation === null ? 'It belongs to your account' : `It belongs to ${order.organisation}`)} on ${escapeHtml(new URL(order.webUrl).host)}</li></ul>
        <form method="post" action="${escapeHtml(action)}"><input type="hidden" name="manifest" value="${escapeHtml(manifest)}">
        <button type="submit" id="make">Continue on GitHub</button></form>`,
      );
    }
    case 'made':
      return page(
        `${answer.app.slug} is made`,
        `<p>hookctl has its key. Now install it on your repositories:</p>
        <p><a id="install" href="${escapeHtml(answer.installUrl)}">${escapeHtml(answer.installUrl)}</a></p>
        ${answer.problem === null ? '' : `<p>${escapeHtml(answer.problem)}</p>`}`,
      );
    case 'refused':
      return page(
        'This did not work',
        `<p>${escapeHtml(answer.reason)}</p><p>Begin again: <code>hookctl connect github --app</code></p>`,
      );
    default:
      return answer satisfies never;
  }
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style>
</head><body><h1>${escapeHtml(title)}</h1>${body}</body></html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Gives the hook of an App that was just made the webhook's secret, and keeps it pointed here from then on. */
export async function connectApp(
  context: ConnectContext,
  slug: string,
  webhook: string,
): Promise<string | null> {
  const order = {
    connector: 'github',
    target: slug,
    isOrganisation: false,
    isApp: true,
    webhook,
    adopt: null,
  };
  try {
    const { connect } = await import('../../../connect/operations.ts');
    await connect(context, { ...order, isDryRun: false });
    return null;
  } catch (error) {
    return `its hook does not have the secret of the webhook ${webhook} yet (${messageOf(error)}); set it: hookctl connect check --fix`;
  }
}
