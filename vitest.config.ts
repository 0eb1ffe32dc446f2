import { defineConfig } from 'vitest/config';

/** What the bench installs brings tests of its own. */
const INSTALLED = '**/node_modules/**';
const OPT_IN = 'test/opt-in/**';
/** Tests that run the packed and installed CLI; packing takes some seconds, which the others need not wait for. */
const PACKED = 'test/{cli,e2e}/**/*.test.ts';

const shared = {
  // A process for each file: what a test leaves open can be seen, and ends with it.
  pool: 'forks' as const,
  // Tests mostly wait for servers, watchers and children.
  maxWorkers: 3,
  setupFiles: ['test/setup/leaks.ts'],
  testTimeout: 60_000,
  // Vitest gives up after a second, which a busy machine takes for one child.
  expect: { poll: { timeout: 45_000, interval: 20 } },
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [INSTALLED, OPT_IN, PACKED],
          globalSetup: ['test/setup/built.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'packed',
          include: [PACKED],
          globalSetup: ['test/setup/built.ts', 'test/setup/packed.ts'],
        },
      },
    ],
  },
});
