import { mkdir, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** Width of a whole picture, in pixels. */
export const PICTURE_WIDTH = 1200;

const MAX_BYTES = 200_000;
const FOLDER = new URL('../../docs/images/', import.meta.url);

/** `npm run screenshots` keeps the pictures; any other run takes less time for them, and throws them away. */
export const KEEPS_PICTURES = process.env['npm_lifecycle_event'] === 'screenshots';

/** Checks that a picture is small enough for the documents, and keeps it as `docs/images/<name>.png` where pictures are kept. */
export async function keepPicture(name: string, png: Buffer): Promise<void> {
  expect(png.byteLength).toBeLessThan(MAX_BYTES);
  if (!KEEPS_PICTURES) return;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(new URL(`${name}.png`, FOLDER), png);
}
