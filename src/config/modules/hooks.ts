import { registerHooks } from 'node:module';
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
