import { failure, usageError } from '../../errors.ts';
import { paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { Services } from '../../services.ts';
import type { JsonFlags } from '../kit/command.ts';
import { serverClient } from '../kit/operate.ts';
import { duration as inWords, printJson, warn } from '../kit/print.ts';

interface AppFlags extends JsonFlags {
  readonly org?: boolean;
  readonly webhook?: string;
  /** Milliseconds for GitHub's first event. */
  readonly wait: number;
}

interface Registration {
  readonly state: 'waiting' | 'converting' | 'made' | 'failed' | 'expired';
  readonly reason?: string;
  readonly problem?: string | null;
  readonly app?: { readonly slug: string; readonly webhook: string; readonly install_url: string };
  readonly installed_by?: readonly string[];
  readonly has_arrived?: boolean;
}

type Made = Registration & Required<Pick<Registration, 'app' | 'installed_by' | 'has_arrived'>>;

const LOOK_MS = 1_000;
/** An owner may have to ask somebody. */
const INSTALL_MS = 600_000;

/** Makes a GitHub App: a person opens a page, confirms at GitHub, and installs the App; the server does the rest. */
export async function connectApp(
  app: Services,
  sender: string,
  targets: readonly string[],
  flags: AppFlags,
): Promise<0 | 1> {
  const [organisation, ...more] = targets;
  if (sender !== 'github') throw usageError(`${sender} has no Apps`, 'Type: hookctl connect github --app');
  if (more.length > 0 || (organisation !== undefined && flags.org !== true)) {
    throw usageError(
      'an App belongs to your account or to one organisation, and is installed on repositories later',
      'Type: hookctl connect github --app, or hookctl connect github acme --org --app',
    );
  }
  const client = await serverClient(app);
  if (client === null) {
    throw failure('not_served', 'the page on which an App is made is one of a running server', {
      fix: 'Start it in another terminal: hookctl serve --tunnel cloudflared',
    });
  }
  const { call } = client;
  const { err } = app.io;
  const opened = await call<{ page_url: string }>({
    method: 'POST',
    path: '/api/github-apps/registration',
    body: {
      organisation: organisation ?? null,
      ...(flags.webhook !== undefined && { webhook: flags.webhook }),
    },
  });
  if (flags.wait === 0) {
    if (flags.json === true) printJson(app.io, opened);
    else say(app.io.out, opened.page_url);
    return 0;
  }
  say(err, `Open this page within 10 minutes, on this machine:\n  ${opened.page_url}`);
  const made = await awaitKey(call);
  say(
    err,
    `The App ${made.app.slug} is made. Its key and secrets are in ${app.located.dataFolder}/github-apps.`,
  );
  if (made.problem != null) warn(app.io, escapeInvisibleLine(made.problem));
  say(err, `Install it on your repositories:\n  ${made.app.install_url}`);
  const installed = await awaitState(call, INSTALL_MS, ({ installed_by: by = [] }) => by.length > 0);
  if (installed === null) {
    throw failure('not_installed', `the App ${made.app.slug} was not installed in ${inWords(INSTALL_MS)}`, {
      fix: `Install it when you like: ${made.app.install_url}. hookctl takes it from there.`,
    });
  }
  const owners = (installed.installed_by ?? []).map(escapeInvisibleLine).join(', ');
  say(err, paint(err, 'green', `Installed by ${owners}.`));
  const arrived = await awaitState(call, flags.wait, ({ has_arrived: has }) => has === true);
  if (flags.json === true) printJson(app.io, arrived ?? installed);
  if (arrived === null) {
    warn(
      app.io,
      `no event of it arrived at ${made.app.webhook} in ${inWords(flags.wait)}. Is the tunnel up? hookctl tunnel status`,
    );
    return 1;
  }
  say(err, `Its first event arrived at ${made.app.webhook}.`);
  return made.problem == null ? 0 : 1;
}

/** Throws when no App is made in the end. */
async function awaitKey(call: ApiCall): Promise<Made> {
  const isOver = ({ state }: Registration) => state !== 'waiting' && state !== 'converting';
  const found = await awaitState(call, INSTALL_MS + LOOK_MS, isOver);
  if (found?.state === 'made') return found as Made;
  const again = { fix: 'Begin again: hookctl connect github --app' };
  if (found?.state === 'failed') throw failure('app_failed', found.reason ?? 'no App was made', again);
  throw failure('page_expired', 'the page was not used within 10 minutes', again);
}

/** The registration once it is so; null when it is not in time. */
async function awaitState(
  call: ApiCall,
  mostMs: number,
  isSo: (registration: Registration) => boolean,
): Promise<Registration | null> {
  const until = performance.now() + mostMs;
  for (;;) {
    const found = await call<Registration>({ method: 'GET', path: '/api/github-apps/registration' });
    if (isSo(found)) return found;
    if (performance.now() > until) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
