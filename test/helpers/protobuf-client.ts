import type { TestClient } from 'nestjs-realtime/testing';
import type { WebSocket } from 'ws';
import { commandFrame, repliesIn } from './protobuf-lines.js';

/** Translates what a client sends and receives, so that a test reads and writes the JSON form. */
export function asProtobuf(client: TestClient): TestClient {
  const ws = client.socket as WebSocket;
  const [receive] = ws.listeners('message') as ((data: Buffer) => void)[];
  ws.removeAllListeners('message');
  ws.on('message', (data: Buffer) => {
    for (const reply of repliesIn(data)) receive!(Buffer.from(JSON.stringify(reply)));
  });
  const send = (command: unknown) => {
    const lines = typeof command === 'string' ? command.split('\n').map((line) => JSON.parse(line) as object) : command;
    ws.send(commandFrame(...[lines as object].flat()));
  };
  return Object.assign(client, { send });
}
