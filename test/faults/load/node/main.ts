import type { Answer, Question } from '../fault-node.js';
import { NodeControl } from './node-control.js';

const control = new NodeControl();
const methods = control as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

async function answer({ id, ask, args }: Question): Promise<void> {
  const reply = await methods[ask]!.apply(control, [...args]).then(
    (value): Answer => ({ id, value }),
    (error: unknown): Answer => ({ id, error: String((error as Error)?.stack ?? error) }),
  );
  // The parent may have gone meanwhile.
  if (process.connected) process.send!(reply);
}

process.on('message', (question: Question) => void answer(question));
// The parent process has ended.
process.on('disconnect', () => process.exit(0));
