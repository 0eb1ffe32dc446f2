import type { Connection } from '../../../types.ts';
import type { ConnectionReader } from '../../connections.ts';
import type { Sql } from '../sql.ts';
import { table } from './table.ts';

export const CONNECTIONS = table<Connection>('connections', {
  events: ['json', 'events'],
  isAdopted: ['flag', 'is_adopted'],
  isPaused: ['flag', 'is_paused'],
});

export function readConnections(sql: Sql): ConnectionReader {
  return {
    connections: () => CONNECTIONS.all(sql, 'order by id'),
    connection: (id) => CONNECTIONS.get(sql, id),
    installationId() {
      const id = sql.value('select id from installation');
      if (id === null) throw new Error('the store has no installation id');
      return id;
    },
  };
}
