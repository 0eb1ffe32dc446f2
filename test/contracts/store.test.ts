import { describe, inject } from 'vitest';
import { acceptContract } from './store/accept.ts';
import { copyContract } from './store/copy.ts';
import { durabilityContract } from './store/durability.ts';
import { IMPLEMENTATIONS } from './store/implementations.ts';
import { listsContract } from './store/lists.ts';
import { machinesContract } from './store/machines.ts';
import { modelContract } from './store/model.ts';
import { outboxContract } from './store/outbox.ts';
import { outcomesContract } from './store/outcomes.ts';
import { ownersContract } from './store/owners.ts';
import { readsContract } from './store/reads.ts';
import { refusalsContract } from './store/refusals.ts';
import { retentionContract } from './store/retention.ts';
import { runsContract } from './store/runs.ts';
import { tasksContract } from './store/tasks.ts';

// Each store that is opened starts a thread, which would compile the same sources again.
process.env.NODE_COMPILE_CACHE = inject('compiled');

/** What the port promises (`src/store/store.ts` and beside it), of every implementation. */
describe.each(IMPLEMENTATIONS)('$name', (implementation) => {
  acceptContract(implementation);
  outcomesContract(implementation);
  tasksContract(implementation);
  outboxContract(implementation);
  runsContract(implementation);
  listsContract(implementation);
  ownersContract(implementation);
  retentionContract(implementation);
  readsContract(implementation);
  if (implementation.name !== 'postgres') return;
  copyContract(implementation);
  machinesContract(implementation);
  refusalsContract(implementation);
  durabilityContract(implementation);
  modelContract(implementation);
});
