import type { Connection } from '../types.ts';

export interface ConnectionReader {
  /** In the order in which they were made. */
  connections(): readonly Connection[];
  connection(id: string): Connection | null;
  /**
   * Names this data folder in the URLs of its hooks (`?hookctl=…`), so that it knows its own hooks again and never
   * touches those of another. Random, made with the store.
   */
  installationId(): string;
}

export interface ConnectionWriter {
  addConnection(connection: Connection): Promise<void>;
  /** Returns false when there is no such connection. */
  changeConnection(id: string, changed: Partial<Omit<Connection, 'id'>>): Promise<boolean>;
  forgetConnection(id: string): Promise<void>;
}
