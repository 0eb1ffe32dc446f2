import { defineConfig } from 'vitest/config';

/** `node scripts/test.js --opt-in`: what needs more than Node and npm, or more time. */
export default defineConfig({
  test: {
    globalSetup: ['test/setup/built.ts'],
    include: ['test/opt-in/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
