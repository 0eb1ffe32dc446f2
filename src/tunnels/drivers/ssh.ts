import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { programEnvironment } from '../../lib/process/subprocess.ts';
import type { SshSettings } from '../settings.ts';
import { type OpenContext, type TunnelDriver, TunnelFailure } from '../tunnel.ts';
import { askUntil, freePort, openProgram } from '../program.ts';
import { SSH_SERVICES, type SshService } from './ssh-services.ts';

const HOW_TO_GET = 'Install the OpenSSH client: "apt install openssh-client" (macOS has it).';

/**
 * Remote forwarding (`ssh -R`) to a service that gives out a URL, or to any SSH server. Own known hosts file: a
 * service's key must not end up among those the user trusts for other things.
 */
export const ssh: TunnelDriver<SshSettings> = {
  name: 'ssh',
  summary: 'ssh -R: localhost.run, pinggy, serveo, or your own server; nothing to install',
  silenceMs: null,
  async open(context) {
    const { settings, folder } = context;
    const service = serviceOf(settings);
    const host = hostOf(settings, service);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const debuggerPort = service.debuggerPort === null ? null : await freePort(context.clock);
    return openProgram(context, {
      program: 'ssh',
      howToGet: HOW_TO_GET,
      args: [
        ...options(folder, service),
        ...(settings.identityFile === undefined ? [] : ['-i', settings.identityFile]),
        ...['-p', String(settings.port ?? service.port)],
        ...(debuggerPort === null
          ? []
          : ['-L', `127.0.0.1:${debuggerPort}:localhost:${service.debuggerPort}`]),
        ...['-R', `${settings.remotePort ?? service.remotePort}:127.0.0.1:${context.ingressPort}`],
        ...(service.command.length === 0 ? [host] : [host, '--', ...service.command]),
      ],
      env: { ...programEnvironment(context.env, 'SSH_AGENT_PID'), ...emptyAnswers(service) },
      stable: service.url !== null,
      read: service.read,
      ...(debuggerPort === null
        ? {}
        : { ask: (signal) => askDebugger(context, debuggerPort, service, signal) }),
      explain: (lines) => explain(lines, knownHosts(folder)),
    });
  },
};

function options(folder: string, service: SshService): readonly string[] {
  const values = [
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile="${knownHosts(folder)}"`,
    'ExitOnForwardFailure=yes',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=3',
    'ConnectTimeout=20',
    // A shared connection would live on after our process, and take the forwarding with it.
    'ControlMaster=no',
    'ControlPath=none',
    `BatchMode=${service.asksForPassword ? 'no' : 'yes'}`,
  ];
  // -N: no shell at a server of one's own. -v: only so does ssh say that the forwarding stands.
  const session = service.url === null ? [] : ['-N', '-v'];
  return ['-T', ...session, ...values.flatMap((value) => ['-o', value])];
}

/** Some services ask for a password and take any; there is no terminal, so `true` answers with an empty one. */
function emptyAnswers(service: SshService): Readonly<Record<string, string>> {
  return service.asksForPassword ? { SSH_ASKPASS: 'true', SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' } : {};
}

function askDebugger(
  { clock }: OpenContext,
  port: number,
  service: SshService,
  signal: AbortSignal,
): Promise<string> {
  return askUntil(`http://127.0.0.1:${port}/urls`, { clock, signal }, (text) => {
    const finding = service.read(text);
    return finding?.kind === 'url' ? finding.url : null;
  });
}

function serviceOf(settings: SshSettings): SshService {
  const { profile = 'localhost.run', url } = settings;
  if (profile !== 'sshd') return SSH_SERVICES[profile];
  if (settings.host !== undefined && url !== undefined) return SSH_SERVICES.sshd(url.replace(/\/+$/, ''));
  const fix =
    'Write { use: ssh, profile: sshd, host: me@server, remotePort: 8000, url: https://… } in webhooks.yml.';
  throw new TunnelFailure('an SSH server of your own needs host and url', { fix, final: true });
}

/** A host that begins with a dash would be read as an option. */
function hostOf(settings: SshSettings, service: SshService): string {
  const host = settings.host ?? service.host;
  if (/^[\w.+][\w.+:@%-]*$/.test(host)) return host;
  throw new TunnelFailure(`"${host}" is not an SSH host`, { fix: 'Write it as user@host.', final: true });
}

function knownHosts(folder: string): string {
  return join(folder, 'known_hosts');
}

function explain(lines: string, knownHostsFile: string): TunnelFailure | null {
  const failed = (message: string, fix: string) => new TunnelFailure(message, { fix, final: true });
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(lines)) {
    const fix = `Find out why; if it is right, delete ${knownHostsFile}.`;
    return failed('the SSH server has another key than last time, so it may be another server', fix);
  }
  if (/Permission denied/.test(lines)) {
    return failed('the SSH server does not let you in (permission denied)', 'Check host and identityFile.');
  }
  return null;
}
