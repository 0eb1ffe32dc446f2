import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Chromium for opt-in scripts and the bench: the one of the machine, driven by a package that is installed where it is thrown away. */

export const BROWSER_MODULES = { 'puppeteer-core': '25.16.0' };
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** As much of puppeteer as is used here. */
export interface Page {
  on(event: 'console', call: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', call: (error: unknown) => void): void;
  on(event: 'request', call: (request: { url(): string }) => void): void;
  goto(url: string, options?: { waitUntil?: 'load' }): Promise<unknown>;
  waitForFunction(text: string, options?: { timeout?: number; polling?: number }): Promise<unknown>;
  evaluate(text: string): Promise<unknown>;
  screenshot(options: { path: string; type: 'webp'; quality: number }): Promise<unknown>;
  emulateMediaFeatures(features: { name: string; value: string }[]): Promise<void>;
  setViewport(size: { width: number; height: number }): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  close(): Promise<void>;
}
export interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** `CHROMIUM`, or the first on the path; undefined when there is none. */
export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  const paths = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env.CHROMIUM ?? paths.find(existsSync);
}

/** Installs packages of npm into a folder, unless `HOOKCTL_BROWSER_MODULES` has them; returns where they are. */
export function installed(folder: string, modules: Readonly<Record<string, string>>): string {
  const given = process.env.HOOKCTL_BROWSER_MODULES;
  if (given !== undefined) return given;
  const wanted = Object.entries(modules).map(([name, version]) => `${name}@${version}`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  execFileSync('npm', ['install', ...options, ...wanted], { cwd: folder, stdio: 'ignore' });
  return join(folder, 'node_modules');
}

/** A package of the folder: `import` looks for it beside the file that asks. */
export async function load<T>(folder: string, name: string): Promise<T> {
  const file = join(folder, 'load-for-hookctl.mjs');
  writeFileSync(file, 'export const load = (name) => import(name);\n');
  const loader: { load(name: string): Promise<T> } = await import(pathToFileURL(file).href);
  return loader.load(name);
}

interface LaunchOptions {
  readonly executable: string;
  /** Where the packages are. */
  readonly modules: string;
  /** A folder of its own. */
  readonly profile: string;
}

export async function launch({ executable, modules, profile }: LaunchOptions): Promise<Browser> {
  const { default: puppeteer } = await load<{ default: { launch(options: object): Promise<Browser> } }>(
    modules,
    'puppeteer-core',
  );
  return puppeteer.launch({
    executablePath: executable,
    headless: 'shell',
    args: ['--no-sandbox', '--force-color-profile=srgb'],
    userDataDir: profile,
  });
}
