import { brokenPipe } from './broken-pipe.ts';
import { clock } from './clock.ts';
import { corrupt } from './corrupt.ts';
import { descriptors } from './descriptors.ts';
import type { Fault } from './fault.ts';
import { fsyncOrder } from './fsync-order.ts';
import { fullDisk } from './full-disk.ts';
import { killed } from './killed.ts';
import { powerLoss } from './power-loss/index.ts';
import { readOnly } from './read-only.ts';
import { slowClients } from './slow-clients.ts';
import { stopped } from './stopped.ts';
import { syscalls } from './syscalls.ts';
import { terminated } from './terminated.ts';
import { twoInstances } from './two-instances.ts';
import { writeLock } from './write-lock.ts';

/** Every kind of fault, in the order in which they are tried. */
export const faults: readonly Fault[] = [
  killed,
  syscalls,
  fullDisk,
  descriptors,
  readOnly,
  corrupt,
  writeLock,
  clock,
  slowClients,
  terminated,
  stopped,
  brokenPipe,
  twoInstances,
  fsyncOrder,
  powerLoss,
];
