import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { MIGRATIONS } from '../../../src/store/local/schema/migrations.ts';
import { type Address, addressOf, connect } from '../../../src/store/postgres/client.ts';
import { openPostgres } from '../../../src/store/postgres/index.ts';
import { migrate } from '../../../src/store/postgres/schema.ts';
import type { Home, Implementation } from './implementations.ts';

/** The store in PostgreSQL: each home is a schema of its own in one database. */
export function postgresAt(server: string): Implementation {
  function home(address = newAddress(server)): Home {
    return {
      address,
      open: () => openPostgres({ address: addressOf(address) }),
      destroy: () =>
        asked(addressOf(address), async (client, { schema }) => {
          await client.query(`drop schema if exists "${schema}" cascade`);
        }),
    };
  }
  return {
    name: 'postgres',
    home,
    earlierVersions: MIGRATIONS.map((_, index) => index + 1),
    async migratedCopy(from, fromVersion, injected) {
      const copy = home();
      await asked(addressOf(copy.address), async (client, address) => {
        const { schema: source } = addressOf(from.address);
        await migrate(client, address, { to: fromVersion });
        // Rows come in any order.
        await client.query('set session_replication_role = replica');
        await copyTables(client, source, address.schema);
        await migrate(client, address, { injected });
        await copyBodies(client, source, address.schema);
      });
      return copy;
    },
  };
}

function newAddress(server: string): string {
  const url = new URL(server);
  url.searchParams.set('schema', `test_${randomUUID().replaceAll('-', '')}`);
  return url.href;
}

async function asked(address: Address, work: (client: Client, address: Address) => Promise<void>) {
  const client = await connect(address, { statementMs: 60_000 });
  try {
    await work(client, address);
  } finally {
    await client.end();
  }
}

/** As far as both schemas have the table and its columns. */
async function copyTables(client: Client, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ name: string; columns: string }>(
    `select made.table_name as name, string_agg(quote_ident(made.column_name), ', ') as columns
     from information_schema.columns as made join information_schema.columns as filled
       on filled.table_name = made.table_name and filled.column_name = made.column_name
     where made.table_schema = $1 and filled.table_schema = $2 and made.table_name not in ('schema_versions', 'pending_keys') and made.table_name not like 'bodies%'
     group by 1`,
    [to, from],
  );
  for (const { name, columns } of rows) {
    await client.query(`delete from "${to}".${name};
      insert into "${to}".${name} (${columns}) select ${columns} from "${from}".${name}`);
  }
  for (const name of ['task_transitions', 'audit'])
    await client.query(
      `select setval(pg_get_serial_sequence('"${to}".${name}', 'id'), (select coalesce(max(id), 0) + 1 from "${to}".${name}))`,
    );
}

async function copyBodies(client: Client, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ day: number }>(`select distinct day from "${from}".bodies`);
  for (const { day } of rows) {
    await client.query(`create table "${to}".bodies_${day} partition of "${to}".bodies
      for values from (${day}) to (${day + 1})`);
  }
  await client.query(`insert into "${to}".bodies select * from "${from}".bodies;
    insert into "${to}".pending_keys select * from "${from}".pending_keys`);
}
