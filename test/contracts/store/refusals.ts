import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressOf } from '../../../src/store/postgres/client.ts';
import { openPostgres, openPostgresReader } from '../../../src/store/postgres/index.ts';
import { newHome, openHome } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

/** What a database has to be set right for, each in a line that says what to change, with exit status 3. */
export function refusalsContract(implementation: Implementation): void {
  const url = (change: (url: URL) => void) => {
    const changed = new URL(implementation.home().address);
    change(changed);
    return addressOf(changed.href);
  };
  const asked = async (address: string, text: string) => {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    await client.query(text);
    await client.end();
  };

  describe('databases that are refused', () => {
    test('one that is not there', async () => {
      const address = url((each) => {
        each.pathname = '/nothing_here';
      });
      await expect(openPostgres({ address })).rejects.toMatchObject({
        ...{ code: 'store_refused', exitCode: 3, fix: expect.stringContaining('createdb') },
      });
    });

    test('one in which the user may make nothing', async () => {
      const role = `poor_${randomUUID().replaceAll('-', '')}`;
      const server = implementation.home().address;
      await asked(server, `create role ${role} login`);
      onTestFinished(() => asked(server, `drop role ${role}`));
      const address = url((each) => {
        each.username = role;
      });
      await expect(openPostgres({ address })).rejects.toMatchObject({
        ...{ code: 'store_refused', exitCode: 3, fix: expect.stringContaining('grant create') },
      });
    });

    test('one that is read-only, as a replica is', async () => {
      const address = url((each) => each.searchParams.set('options', '-c default_transaction_read_only=on'));
      await expect(openPostgres({ address })).rejects.toMatchObject({ code: 'store_read_only', exitCode: 3 });
    });

    test('a server that is not there is away, which may end by itself', async () => {
      const address = url((each) => {
        each.port = '1';
      });
      await expect(openPostgres({ address })).rejects.toMatchObject({ code: 'store_away', exitCode: 1 });
      expect(() => openPostgresReader(address)).toThrow("can't be reached");
    });

    test('a schema of a newer hookctl, which stays as it is, and none at all is empty', async () => {
      const home = newHome(implementation);
      const address = addressOf(home.address);
      expect(openPostgresReader(address)).toBeNull();
      await (await openHome(home)).close();
      await asked(home.address, `update "${address.schema}".schema_versions set own = own + 1`);
      await expect(openPostgres({ address })).rejects.toMatchObject({ code: 'schema_version' });
      expect(() => openPostgresReader(address)).toThrow('a newer hookctl wrote it');
      await asked(home.address, `update "${address.schema}".schema_versions set own = own - 2`);
      expect(() => openPostgresReader(address)).toThrow('an older hookctl wrote it last');
    });

    test('what is no URL of PostgreSQL', () => {
      for (const wrong of ['', 'mysql://x/y', 'postgres://h/d?schema=a"b'])
        expect(() => addressOf(wrong), wrong).toThrow();
      expect(addressOf('postgres://ada:secret@db.example.com/hookctl').shown).toBe('db.example.com/hookctl');
    });
  });
}
