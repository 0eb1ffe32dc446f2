/**
 * `npm run test:postgres`: starts PostgreSQL in a folder that is thrown away, or takes the server of `HOOKCTL_TEST_POSTGRES`, and holds
 * the store to its contract there. Needs `initdb`. Arguments go to vitest. Ends with `N passed, N failed, N skipped`.
 */
// @ts-expect-error: a program without types.
import { runTests } from '../../scripts/test.js';
import { postgresPrograms, startPostgres } from '../support/postgres.ts';

const given = process.env.HOOKCTL_TEST_POSTGRES;
if (given === undefined && postgresPrograms() === null) {
  console.log('initdb is not installed: on Debian, apt-get install postgresql');
  console.log('0 passed, 0 failed, 1 skipped');
} else {
  const server = given === undefined ? await startPostgres() : null;
  try {
    const env = {
      ...process.env,
      HOOKCTL_TEST_POSTGRES: server?.url ?? given,
      HOOKCTL_TEST_STORE: 'postgres',
    };
    const args = ['test/contracts/store.test.ts', ...process.argv.slice(2)];
    const { passed, failed, skipped } = runTests('store in PostgreSQL', process.execPath, args, env);
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    await server?.remove();
  }
}
