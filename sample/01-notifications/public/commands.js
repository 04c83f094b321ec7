/**
 * Pairs each command with its answer: the server sends a command's `id` back on exactly one final answer.
 *
 * - `request(command)` resolves to the answer's payload; an error rejects with its message, `code` and `details`.
 * - `settle(frame)` takes a received frame; true if it answers a pending command.
 * - `abort(reason)` rejects whatever is still waiting, as when the connection was lost.
 */
export function createCommands(send) {
  const waiting = new Map();
  let lastId = 0;

  return {
    request(command) {
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        if (!send({ ...command, id })) return reject(new Error('There is no connection at the moment'));
        waiting.set(id, { resolve, reject });
      });
    },
    settle({ id, type, payload }) {
      const command = waiting.get(id);
      if (!command) return false;
      waiting.delete(id);
      if (type === 'realtime:error') command.reject(Object.assign(new Error(payload.message), payload));
      else command.resolve(payload);
      return true;
    },
    abort(reason) {
      for (const { reject } of waiting.values()) reject(new Error(reason));
      waiting.clear();
    },
  };
}
