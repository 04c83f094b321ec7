import type { Answer, Question } from '../load/fault-node.js';
import { PresenceNode } from './presence-node.js';

let node: PresenceNode | undefined;

async function reply({ ask, args }: Question): Promise<unknown> {
  if (ask === 'start') {
    node = await PresenceNode.start(...(args as Parameters<typeof PresenceNode.start>));
    return undefined;
  }
  const method = node![ask as keyof PresenceNode] as (...given: readonly unknown[]) => unknown;
  return method.apply(node, [...args]);
}

async function answer(question: Question): Promise<void> {
  const { id } = question;
  const answered = await reply(question).then(
    (value): Answer => ({ id, value }),
    (error: unknown): Answer => ({ id, error: String((error as Error)?.stack ?? error) }),
  );
  // The parent may have gone meanwhile.
  if (process.connected) process.send!(answered);
}

process.on('message', (question: Question) => void answer(question));
// The parent process has ended.
process.on('disconnect', () => process.exit(0));
