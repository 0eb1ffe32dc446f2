import { afterAll, beforeAll } from 'vitest';
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
import { type Server, startServe } from './server.ts';

/** What the tests of a suite share; only there while they run. */
export interface Suite {
  readonly sandbox: Sandbox;
  readonly server: Server;
}

/**
 * A sandbox with a server for all tests of a suite. Called where tests are collected, because a hook that is
 * registered inside another one never runs, and the server would stay behind.
 */
export function serverOfSuite(options?: SandboxOptions): () => Suite {
  const sandbox = sandboxOfSuite(options);
  let server: Server;
  beforeAll(async () => {
    server = await startServe(sandbox());
  });
  afterAll(async () => void (await server.stop('SIGKILL')));
  return () => ({ sandbox: sandbox(), server });
}

/** A sandbox for all tests of a suite. */
export function sandboxOfSuite(options?: SandboxOptions): () => Sandbox {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox(options);
  });
  afterAll(async () => sandbox.remove());
  return () => sandbox;
}
