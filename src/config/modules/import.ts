import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Diagnostic, messageOf } from '../../errors.ts';
import { type CallSite, callSite } from '../../lib/call-site.ts';
import { entryUrl, FROM_SOURCE } from '../../package-root.ts';

/** The public API of the installation that is running: its types and its `defineWebhook` are the ones that count. */
const SELF = entryUrl('index').href;

/**
 * Runs `load` while `import … from 'hookctl'` leads to this installation and TypeScript loads as ES modules from
 * any folder. Without the forced format a project with `"type": "commonjs"` could not be loaded at all, and one
 * without `type` would make Node print a warning. `entries` (file URLs) are ES modules whatever their package says.
 * `onModule` is told the URL of each of the project's own modules.
 */
export async function withProjectModules<T>(
  entries: readonly string[],
  onModule: (url: string) => void,
  load: () => Promise<T>,
): Promise<T> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'hookctl') {
        return { url: SELF, format: FROM_SOURCE ? 'module-typescript' : 'module', shortCircuit: true };
      }
      const resolved = next(specifier, context);
      if (resolved.url.includes('/node_modules/')) return resolved;
      onModule(resolved.url);
      if (resolved.url.endsWith('.ts')) return { ...resolved, format: 'module-typescript' };
      return entries.includes(resolved.url) ? { ...resolved, format: 'module' } : resolved;
    },
  });
  try {
    return await load();
  } finally {
    hooks.deregister();
  }
}

/** What went wrong when a project's module was imported, with the line where the stack or the text tells it. */
export function moduleProblem(file: string, error: unknown): Diagnostic {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const message = messageOf(error);
  switch (code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX': {
      const fix =
        'Types are only stripped: write a const object in place of an enum, plain fields in classes.';
      return { ...syntaxPlace(file, error), message: `TypeScript that must be compiled: ${message}`, fix };
    }
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return { ...syntaxPlace(file, error), message: `syntax error: ${message}` };
    case 'ERR_MODULE_NOT_FOUND':
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return missingModule(file, message);
    default:
      return error instanceof SyntaxError
        ? { ...syntaxPlace(file, error), ...syntaxMessage(message) }
        : { ...thrownAt(file, error), message: `throws while it loads: ${message}` };
  }
}

function syntaxMessage(message: string): Pick<Diagnostic, 'message' | 'fix'> {
  const missing = /module '(.+)' does not provide an export named '(.+)'/.exec(message);
  if (missing === null) return { message: `syntax error: ${message}` };
  const [, module = '', name = ''] = missing;
  if (name === 'default') return { message: `${module} has no default export` };
  const fix = `If ${name} is a type, write: import type { ${name} } from '${module}'`;
  return { message: `${module} has no export named ${name}`, fix };
}

/** Node writes `file:line` on the first line of a syntax error's stack. */
function syntaxPlace(file: string, error: unknown): CallSite | { file: string } {
  const [first = ''] = (error as Error).stack?.split('\n') ?? [];
  const match = /^(.+):(\d+)$/.exec(first);
  if (match?.[1] === undefined) return { file };
  const path = match[1].startsWith('file:') ? fileURLToPath(match[1]) : match[1];
  return { file: path, line: Number(match[2]) };
}

/** The innermost frame of the stack in the project, not in Node or in a package. */
function thrownAt(file: string, error: unknown): CallSite | { file: string } {
  const frames = error instanceof Error ? (error.stack?.split('\n').slice(1) ?? []) : [];
  const sites = frames.flatMap((frame) => callSite(frame) ?? []);
  return sites.find((site) => !site.file.includes('/node_modules/')) ?? { file };
}

/** `Cannot find module '/project/lib/labels' imported from /project/webhooks/a.ts`: the line is looked up there. */
function missingModule(file: string, message: string): Diagnostic {
  const [, target, importer] = /'(.+?)' imported from (.+)$/m.exec(message) ?? [];
  if (target === undefined || importer === undefined) return { file, message };
  const isPath = target.startsWith('/');
  const lines = readFileSync(importer, 'utf8').split('\n');
  const index = lines.findIndex((line) => /\b(import|from)\b/.test(line) && line.includes(basename(target)));
  return {
    file: importer,
    ...(index === -1 ? {} : { line: index + 1 }),
    message: `cannot find ${isPath ? 'the file' : 'the package'} ${target}`,
    fix: isPath ? 'Write the file name whole, with its ending: ./labels.ts' : `Type: npm install ${target}`,
  };
}
