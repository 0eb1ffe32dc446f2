import { defineConfig } from 'vitest/config';

/** `npm run test:claude`: what is shown with the real Claude Code, which is installed once for all of it. */
export default defineConfig({
  test: {
    include: ['test/opt-in/claude*.test.ts'],
    globalSetup: ['test/setup/built.ts', 'test/opt-in/install-claude.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
