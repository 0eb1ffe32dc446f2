import { defineConfig } from 'vitest/config';

/** `npx vitest run --config test/opt-in/vitest.config.ts`: what needs more than Node and npm. */
export default defineConfig({
  test: {
    globalSetup: ['test/setup/built.ts'],
    include: ['test/opt-in/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
