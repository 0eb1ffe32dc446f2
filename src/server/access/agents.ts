import { failure } from '../../errors.ts';
import type { AgentStore, ApiCall, McpBackend } from '../../mcp/backend.ts';
import type { Store } from '../../store/store.ts';
import { ownedName } from '../../types/webhook.ts';
import type { Actor, Task } from '../../types.ts';
import { actorOfToken, type Caller, OPERATOR_CALLER, type OwnerCaller } from './caller.ts';

/** How the tools for agents reach what a caller may. `call` asks the API in the name of somebody. */
export function backendOf(
  store: Store,
  call: (who: { readonly actor: Actor; readonly caller: Caller }) => ApiCall,
): (caller: Caller) => McpBackend {
  return (caller) => {
    if (caller.kind === 'owner')
      return ofOwner(store, caller, call({ actor: actorOfToken(caller.token), caller }));
    const name = caller.kind === 'run' ? `${caller.run.agent} (${caller.run.runId})` : 'mcp';
    // What a run may do, its tools look at.
    const asks = call({ actor: { kind: 'api', name }, caller: OPERATOR_CALLER });
    return { look: async (ask) => ask(store), call: asks };
  };
}

function ofOwner(store: Store, { token, revoked }: OwnerCaller, call: ApiCall): McpBackend {
  const own = ownStore(store, token.owner);
  // A tool may wait for a minute, and the token end meanwhile.
  const require = () => {
    if (revoked.aborted || token.expiresAt <= Date.now()) throw failure('token', `${token.id} has ended`);
  };
  return {
    async look(ask) {
      require();
      return ask(own);
    },
    async call(request) {
      require();
      return call(request);
    },
  };
}

/** What the tools read, of one owner alone: others' things are as if they were not there. */
function ownStore(store: AgentStore, owner: string): AgentStore {
  const own = (task: Task | null) => (task?.owner === owner ? task : null);
  const named = (consumer: string) => ownedName(owner, consumer);
  return {
    task: (id) => own(store.task(id)),
    tasks: (filter) => store.tasks({ ...filter, owner }),
    transitions: (id) => (own(store.task(id)) === null ? [] : store.transitions(id)),
    isConsumer: (name) => store.isConsumer(named(name)),
    agentEvents: (filter) => store.agentEvents({ ...filter, consumer: named(filter.consumer), owner }),
    eventsSince: (transition) =>
      store.eventsSince(transition).filter(({ taskId }) => own(store.task(taskId)) !== null),
    newestTransition: store.newestTransition,
  };
}
