import { findProgram } from '../../lib/process/find-program.ts';
import { addressOf } from '../../server/address.ts';
import { tunnelDrivers } from '../../tunnels/drivers/index.ts';
import { networkReason, send } from '../../tunnels/http.ts';
import { makeProbe, PROBE_HEADER, PROBE_PATH } from '../../tunnels/prober.ts';
import { type Check, type Examined, type Finding, fault, ok, warning } from './finding.ts';

export const server: Check = {
  name: 'server',
  look({ app, server: view }) {
    if (view?.server == null) return [ok('not running; start it: hookctl serve')];
    const { pid } = view.server;
    return [
      view.version === app.version
        ? ok(`pid ${pid}, hookctl ${view.version}`)
        : warning(
            `the server (pid ${pid}) is hookctl ${view.version}, but this is ${app.version}`,
            'Restart the server: hookctl service restart, or end it and type `hookctl serve`.',
          ),
    ];
  },
};

export const tunnel: Check = {
  name: 'tunnel',
  async look({ app, configuration, server: view }) {
    if (view?.server != null) {
      if (view.tunnel === null) return [ok('none')];
      const { driver, phase, reason, fix, url } = view.tunnel;
      const text = `${driver} is ${phase}: ${reason}`;
      if (phase === 'up') return [ok(`${driver} is up: ${url}`)];
      return [phase === 'down' ? fault(text, fix) : warning(text, fix)];
    }
    const settings = configuration?.project.tunnel;
    if (settings == null) return [ok('none')];
    const { needs } = tunnelDrivers[settings.use];
    const { tokenEnv, authtokenEnv } = settings as { tokenEnv?: string; authtokenEnv?: string };
    const unset = [tokenEnv, authtokenEnv].find((name) => name !== undefined && !app.env[name]);
    const missing = needs !== undefined && (await findProgram(needs.program, app.cwd, app.env.PATH)) === null;
    return [
      ...(missing ? [fault(`${needs.program} is not installed`, needs.howToGet)] : []),
      ...(unset === undefined
        ? []
        : [fault(`${unset} is not set`, `Set it before hookctl starts: ${unset}`)]),
      ...(missing || unset !== undefined ? [] : [ok(`${settings.use}; it opens with the server`)]),
    ];
  },
};

const TIMEOUT_MS = 10_000;

export const url: Check = {
  name: 'url',
  async look(examined) {
    const { app, configuration, server: view, isOffline } = examined;
    const configured =
      configuration === null ? null : addressOf(configuration.project, { insecure: [] }).publicUrl;
    const tunnelled = view?.tunnel ?? null;
    // A relay has an address for one path, and the supervisor probes it.
    const publicUrl =
      tunnelled?.leads_to == null ? (tunnelled?.url ?? view?.server?.public_url ?? configured) : null;
    if (publicUrl === null) {
      if (tunnelled !== null || configuration?.project.tunnel != null) return [];
      return [
        ok(
          'no public URL: senders on this machine alone reach hookctl, unless you serve with --tunnel or publicUrl',
        ),
      ];
    }
    if (isOffline) return [ok(`${publicUrl} is not tried: --offline`)];
    const relayKey = app.holder()?.server?.relayKey ?? null;
    return [await tried(examined, publicUrl, relayKey)];
  },
};

/** Sends what only the server of this folder recognizes, and looks whether its answer comes back. */
async function tried({ app }: Examined, publicUrl: string, relayKey: string | null): Promise<Finding> {
  const probe = makeProbe(Buffer.from(relayKey ?? ''), app.clock.now());
  const path = new URL(publicUrl).origin + PROBE_PATH;
  const lead =
    'Compare publicUrl in webhooks.yml with what your proxy or tunnel shows, and look whether it runs.';
  try {
    const { status, headers } = await send(path, {
      ...{ method: 'POST', timeoutMs: TIMEOUT_MS, env: app.env, body: '{}' },
      headers: { 'content-type': 'application/json', 'user-agent': 'hookctl', [PROBE_HEADER]: probe },
    });
    if (relayKey === null)
      return ok(`${publicUrl} answers (${status}); whether it leads here can be seen while the server runs`);
    if (status === 204 && headers[PROBE_HEADER] === probe) return ok(`${publicUrl} leads here`);
    return fault(`${publicUrl} does not lead to this server: it answered ${status}`, lead);
  } catch (error) {
    return fault(`${publicUrl} can't be reached: ${networkReason(error)}`, lead);
  }
}
