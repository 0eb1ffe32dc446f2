import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { failure } from '../../errors.ts';
import { PACKAGE_ROOT } from '../../package-root.ts';
import type { ManagementEnv } from '../api/guard.ts';

/** The files of the dashboard, as the build wrote them. They hold no secret: without the token a page of them shows nothing. */
const TYPES = {
  'app.js': 'text/javascript; charset=utf-8',
  'traffic.js': 'text/javascript; charset=utf-8',
  'setup.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

/** Scripts and styles of its own alone, no inline script, requests only to where it came from, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** `GET /dashboard` and every page below it: one document, whose script shows what the path names. */
export function dashboardPages(): Hono<ManagementEnv> {
  const pages = new Hono<ManagementEnv>();
  for (const [name, type] of Object.entries(TYPES))
    pages.get(`/dashboard/${name}`, async (context) =>
      context.body(await fileNamed(name), 200, { ...HEADERS, 'content-type': type }),
    );
  const page = async () => fileNamed('index.html');
  for (const path of ['/dashboard', '/dashboard/:page', '/dashboard/:page/:id'])
    pages.get(path, async (context) =>
      context.body(await page(), 200, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }),
    );
  return pages;
}

const files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

function fileNamed(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const known = files.get(name);
  if (known !== undefined) return known;
  const read = readFile(new URL(`dist/dashboard/${name}`, PACKAGE_ROOT)).then(
    (bytes) => new Uint8Array(bytes),
    (error: unknown) => {
      files.delete(name);
      throw failure('no_dashboard', 'the files of the dashboard are missing', {
        fix: 'Install hookctl anew, or run `npm run build` in a clone.',
        cause: error,
      });
    },
  );
  files.set(name, read);
  return read;
}
