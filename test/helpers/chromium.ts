import { chromium, type Browser } from 'playwright-core';
import { locate, type SystemProgram } from './system-program.js';

const CHROMIUM: SystemProgram = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  pathVariable: 'CHROMIUM_PATH',
  // The fonts are only recommended by chromium, but without any there is no text.
  packages: ['chromium', 'fonts-dejavu-core'],
  cure:
    'The browser tests need Chromium. Install it (on Debian: sudo apt-get install chromium), or set CHROMIUM_PATH to the ' +
    'executable of Chromium or Chrome.',
};

// Without these Chromium calls home, which takes time and fails where there is no network.
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts Chromium without a window and with a fresh profile, which goes when the browser is closed. It is looked for in
 * `CHROMIUM_PATH`, then among the programs of this machine; failing that, it is installed where apt and root allow it.
 * Rejects with what to install otherwise.
 */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await locate(CHROMIUM), args: QUIET });
}
