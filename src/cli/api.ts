import { readFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { resolve } from 'node:path';
import { type ExitCode, failure, messageOf, usageError } from '../errors.ts';
import { paint, say } from '../lib/io.ts';
import { suggestion } from '../lib/suggest.ts';
import { escapeInvisible, escapeInvisibleJsonText } from '../lib/text/escape-invisible.ts';
import { askManagement } from '../server/client.ts';
import type { ServiceFlags, Services } from '../services.ts';
import type { CliCommand } from './kit/command.ts';
import { serverAddress } from './kit/operate.ts';

interface ApiFlags extends ServiceFlags {
  readonly spec?: boolean;
  readonly data?: string;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** `hookctl api GET /api/webhooks`: like curl, with the address and token of the running server. */
export const configureApi: CliCommand = (command, runner) => {
  command
    .argument('[method]', METHODS.join(', '))
    .argument('[path]', 'path and query, e.g. /api/webhooks?limit=10')
    .option('--spec', 'print the OpenAPI document of the API; no server has to run')
    .option('--data <json>', 'body to send; @file reads it from a file')
    .examples(
      'hookctl api GET /api/webhooks',
      `hookctl api POST /api/webhooks --data '{"provider":"github","name":"triage"}'`,
      'hookctl api PUT /api/webhooks/triage --data @change.json',
    )
    .action(
      runner.action(command, (app, method: string | undefined, path: string | undefined, flags: ApiFlags) =>
        flags.spec === true
          ? printSpec(app, method)
          : run(app, required(method).toUpperCase(), required(path), flags),
      ),
    );
};

/** Throws `usage` for an argument that is missing. */
function required(given: string | undefined): string {
  if (given !== undefined) return given;
  throw usageError('method and path are missing', 'Write them, such as: hookctl api GET /api/status');
}

async function printSpec({ io, version }: Services, method: string | undefined): Promise<0> {
  if (method !== undefined)
    throw usageError(
      '--spec takes no method and path',
      'The document is of the whole API: hookctl api --spec',
    );
  const { openApiDocument } = await import('../server/openapi/document.ts');
  say(io.out, JSON.stringify(openApiDocument(version), null, 2));
  return 0;
}

/** Prints the body at any status; exits with 4 for 404, with 1 for any other error status. */
async function run(app: Services, method: string, path: string, { data }: ApiFlags): Promise<ExitCode> {
  if (!METHODS.includes(method))
    throw usageError(`there is no method ${method}`, suggestion(method, METHODS));
  if (!path.startsWith('/')) throw usageError(`the path ${path} does not start with /`, `Write /${path}.`);
  const body = await bodyFrom(app, data);
  const address = await serverAddress(app);
  if (address === null) {
    throw failure('not_running', `no server runs on ${app.located.dataFolder}`, {
      fix: 'Start one with `hookctl serve`.',
    });
  }
  const { status, isJson, text } = await askManagement(address, { method, path, body });
  if (text !== '') say(app.io.out, isJson ? escapeInvisibleJsonText(text) : escapeInvisible(text));
  if (status < 400) return 0;
  say(app.io.err, paint(app.io.err, 'red', `${status} ${STATUS_CODES[status] ?? ''}`));
  return status === 404 ? 4 : 1;
}

async function bodyFrom({ cwd }: Services, data: string | undefined): Promise<string | null> {
  if (data === undefined) return null;
  if (!data.startsWith('@')) return data;
  const file = resolve(cwd, data.slice(1));
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`can't read ${file}: ${messageOf(error)}`);
  });
}
