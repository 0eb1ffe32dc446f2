/** A program for the kill test: exchanges a state and is killed after so many steps. */
import { swapIn } from '../../src/store/local/swap.ts';

const [dataFolder = '', staged = '', former = '', steps = ''] = process.argv.slice(2);
let left = Number(steps);
await swapIn({
  ...{ dataFolder, staged, former },
  moved() {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
