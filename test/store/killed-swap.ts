/** A program for the kill test: swaps a state in and is killed after so many changes of the file system. */
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [dataFolder = '', staged = '', former = '', steps = ''] = process.argv.slice(2);
let left = Number(steps);

function counted<Given extends readonly unknown[]>(change: (...given: Given) => Promise<unknown>) {
  return async (...given: Given): Promise<void> => {
    await change(...given);
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}

Object.assign(promises, {
  rename: counted(promises.rename),
  rmdir: counted(promises.rmdir),
  mkdir: counted(promises.mkdir),
});
syncBuiltinESMExports();
const { swapIn } = await import('../../src/store/local/swap.ts');
await swapIn(dataFolder, { staged, former });
