/*
 * What is known of the db's files without reading the schema that validates them.
 */

/** The db of dynamic webhooks, in the data folder. */
export const DB_FILE = 'webhooks.json';
/** Its last content that validated. */
export const LAST_GOOD_FILE = 'webhooks.last-good.json';
/** Goes up when an older hookctl could no longer read the file. */
export const SCHEMA_VERSION = 1;
