// npm runs this in a clone after it changed node_modules (the `dependencies` script), so that `npm ci` is all the
// set-up there is. Not as `prepare`: that also stands in the package, and npm would warn everybody who installs it.
import { createRequire } from 'node:module';

let installed = true;
try {
  createRequire(import.meta.url).resolve('typescript/package.json');
} catch {
  installed = false;
}

if (installed) {
  const { build } = await import('./build.js');
  process.exitCode = build();
} else {
  console.error('hookctl: dependencies are not installed; run `npm ci` first');
}
