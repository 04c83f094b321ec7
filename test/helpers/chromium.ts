import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

// Without these Chromium calls home, which takes time and fails where there is no network.
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const CURE =
  'The browser tests need Chromium. Install it (on Debian: sudo apt-get install chromium), or set CHROMIUM_PATH to the ' +
  'executable of Chromium or Chrome.';

/**
 * Starts Chromium without a window and with a fresh profile, which goes when the browser is closed. It is looked for in
 * `CHROMIUM_PATH`, then among the programs of this machine; failing that, it is installed where apt and root allow it.
 * Rejects with what to install otherwise.
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium() ?? (await installChromium());
  return chromium.launch({ executablePath, args: QUIET });
}

function findChromium(): string | undefined {
  const wanted = process.env['CHROMIUM_PATH'];
  if (wanted) {
    if (isExecutable(wanted)) return wanted;
    throw new Error(`CHROMIUM_PATH is ${wanted}, where there is nothing to execute`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function installChromium(): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error(CURE);
  try {
    await aptGet('update');
    // The fonts are only recommended by chromium, but without any there is no text.
    await aptGet('install', '--yes', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
  } catch (cause) {
    throw new Error(`${CURE} Installing it with apt-get failed.`, { cause });
  }
  const installed = findChromium();
  if (!installed) throw new Error(CURE);
  return installed;
}

/** Its output, which is long, stands in the error when it fails, and nowhere else. */
async function aptGet(...args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await promisify(execFile)('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, maxBuffer: 2 ** 26 });
}
