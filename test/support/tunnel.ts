import { type FakeProgram, installFake } from '../tunnels/fixtures/programs.ts';
import { type Sandbox, sandboxForTest } from './sandbox.ts';
import type { ServeLine, Server } from './server.ts';

/** Probes of addresses that exist in the world go to a proxy that nobody runs: tests stay on this machine. */
export const NO_INTERNET = { HTTPS_PROXY: 'http://127.0.0.1:9' };

/** A sandbox on whose PATH a fake cloudflared stands. */
export interface TunnelSandbox {
  readonly sandbox: Sandbox;
  readonly fake: FakeProgram;
  /** Where the fake's public side listens: what the internet would reach by the public URL. */
  edgeUrl(): string;
  pid(): number;
}

export async function tunnelSandbox(
  orders: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<TunnelSandbox> {
  const plain = await sandboxForTest({ files, env: NO_INTERNET });
  const fake = await installFake(plain.root, 'cloudflared', orders);
  return {
    sandbox: { ...plain, env: { ...plain.env, PATH: fake.path } },
    fake,
    edgeUrl: () => `http://127.0.0.1:${fake.told().edgePort}`,
    pid: () => Number(fake.told().pid),
  };
}

/** What `serve --json` has said of its tunnel so far. */
export function tunnelLines(server: Pick<Server, 'lines'>): readonly ServeLine[] {
  return server.lines().filter(({ type, of }) => type === 'state' && of === 'tunnel');
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
