import { defineConfig } from 'vitest/config';
import { LONG } from './test/setup/long.ts';

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
const built = 'test/setup/built.ts';
const packed = 'test/setup/packed.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [INSTALLED, OPT_IN, PACKED, ...LONG],
          globalSetup: [built],
        },
      },
      {
        test: {
          ...shared,
          name: 'packed',
          include: [PACKED],
          exclude: [INSTALLED, ...LONG],
          globalSetup: [built, packed],
        },
      },
      { test: { ...shared, name: 'long', include: [...LONG], globalSetup: [built, packed] } },
    ],
  },
});
