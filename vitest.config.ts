import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/opt-in/**'],
    // A process for each file: what a test leaves open can be seen, and ends with it.
    pool: 'forks',
    setupFiles: ['test/setup/leaks.ts'],
    globalSetup: ['test/setup/packed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
