import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a webhook makes of the published examples. */
export interface Matched {
  readonly payloads: number;
  readonly fired: number;
  /** Per event: for each command, what fired or why not, and the prompt. Ids of commands differ and are left out. */
  readonly matches: readonly (readonly Outcome[])[];
}

export interface Outcome {
  readonly fired: boolean;
  readonly reason: string;
  readonly argument: string;
  readonly needsApproval: boolean;
  readonly action: string;
  readonly agent: string;
  readonly prompt: string;
}

/** Matches in a Node of its own, as hookctl loads modules: pairs of project folder and webhook name. */
export async function matchesInNode(
  ...wanted: readonly (readonly [folder: string, webhook: string])[]
): Promise<readonly Matched[]> {
  const script = join(import.meta.dirname, 'match-in-node.ts');
  const options = { maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...wanted.flat()], options);
  return JSON.parse(stdout);
}
