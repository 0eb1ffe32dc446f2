import { readFileSync } from 'node:fs';

/** hookctl's own version, from the package.json that this file was installed with. */
export function hookctlVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
