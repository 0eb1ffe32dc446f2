import { notFound } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { StoreReader } from '../../store/store.ts';

/** The store, for a command that names something in it. Throws `not_found` when the folder holds no store yet. */
export function storedReader(app: Services, id: string): StoreReader {
  const reader = app.reader();
  if (reader !== null) return reader;
  throw notFound(
    `there is no ${id}: nothing is stored in ${app.located.dataFolder}`,
    'Start with `hookctl serve`.',
  );
}
