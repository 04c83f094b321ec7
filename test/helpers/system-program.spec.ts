import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { locate } from './system-program.js';

const TOOL = {
  names: ['spade', 'shovel'],
  pathVariable: 'SPADE_PATH',
  packages: ['garden-tools'],
  cure: 'These tests need a spade. Install garden-tools.',
};

let folder: string;

async function addProgram(name: string, text = ''): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

/** An apt-get that installs a spade, unless another one is at work. */
async function addApt(installed = 'spade'): Promise<() => Promise<string[]>> {
  const log = join(folder, 'log');
  await addProgram(
    'apt-get',
    `mkdir '${folder}/busy' || exit 100
    echo "$4 $7" >> '${log}'
    sleep 0.05
    if [ "$4" = install ]; then cp '${folder}/apt-get' '${folder}/${installed}'; fi
    rmdir '${folder}/busy'`,
  );
  return async () => (await readFile(log, 'utf8')).trim().split('\n');
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestjs-realtime-programs-'));
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });
});

describe('locate()', () => {
  it('finds a program among those of the machine, the best name first', async () => {
    const shovel = await addProgram('shovel');
    expect(await locate(TOOL)).toBe(shovel);
    const spade = await addProgram('spade');
    expect(await locate(TOOL)).toBe(spade);
  });

  it('takes the path that the variable says', async () => {
    await addProgram('spade');
    const own = await addProgram('my-spade');
    vi.stubEnv('SPADE_PATH', own);
    expect(await locate(TOOL)).toBe(own);
  });

  it('rejects when there is nothing to execute where the variable says', async () => {
    await addProgram('spade');
    vi.stubEnv('SPADE_PATH', '/nowhere/spade');
    await expect(locate(TOOL)).rejects.toThrow('SPADE_PATH is /nowhere/spade, where there is nothing to execute');
  });

  it('installs the packages of a program that is missing', async () => {
    const log = await addApt();
    expect(await locate(TOOL)).toBe(join(folder, 'spade'));
    expect(await log()).toEqual(['update ', 'install garden-tools']);
  });

  it('lets those wait who want to install at the same moment', async () => {
    const log = await addApt();
    const paths = await Promise.all([1, 2, 3].map(() => locate(TOOL)));
    expect(paths).toEqual(Array(3).fill(join(folder, 'spade')));
    expect(await log()).toHaveLength(6);
  });

  it('says what to install where it may not, where it fails and where it is of no use', async () => {
    await addProgram('apt-get', 'exit 100');
    await expect(locate(TOOL)).rejects.toThrow(`${TOOL.cure} Installing it with apt-get failed.`);
    await addApt('something-else');
    await expect(locate(TOOL)).rejects.toThrow(TOOL.cure);
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    await expect(locate(TOOL)).rejects.toThrow(TOOL.cure);
  });
});
