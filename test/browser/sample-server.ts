import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';

/** Sample 01 in a process of its own. */
export interface SampleServer {
  readonly url: string;
  /** Ends the process at once, as a crash would, without notice. */
  kill(): Promise<void>;
}

/** Starts sample 01 on a free port, or on the given one, and waits until it listens. */
export async function startSample(port = 0): Promise<SampleServer> {
  const env = { ...process.env, PORT: `${port}`, HOST: '127.0.0.1', NO_COLOR: '1' };
  const child = spawn(process.execPath, [join(inject('samples'), '01-notifications/dist/main.js')], { env });
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const exited = once(child, 'exit');

  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const [, address] = /Open (http:\S+)/.exec(output) ?? [];
      if (address) resolve(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(() => reject(new Error(`The sample ended before it listened:\n${output}`)), reject);
  });

  return {
    url,
    async kill() {
      process.off('exit', killChild);
      killChild();
      await exited;
    },
  };
}
