// `npx hookctl` in a clone without node_modules runs this script. A failure there would leave npx broken for that
// path until its cache is cleared, so it ends well and says what to do.
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
