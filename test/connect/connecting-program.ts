/** A program for the kill test: makes, moves or removes one hook, and says when that is done. */
import { connect, disconnect } from '../../src/connect/operations.ts';
import { repoint } from '../../src/connect/upkeep.ts';
import { type ProgramOrder, programContext } from './program-context.ts';

const [work = '', given = '', target = ''] = process.argv.slice(2);
const order: ProgramOrder = JSON.parse(given);
const context = await programContext(order);
const [connection] = context.store.connections();
if (work === 'connect') {
  await connect(context, {
    ...{ connector: order.connector, target, isOrganisation: false, webhook: 'mine' },
    ...{ adopt: null, isDryRun: false },
  });
} else if (connection !== undefined) {
  if (work === 'repoint') await repoint(context, connection);
  else await disconnect(context, connection);
}
await context.close();
console.log('done');
