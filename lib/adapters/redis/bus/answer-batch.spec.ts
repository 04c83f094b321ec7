import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { encodeFrame, type BusFrame } from '../../../core/bus/bus-frame.js';
import { AnswerBatch } from './answer-batch.js';
import { RedisChannels, type RedisChannel } from '../connection/redis-channels.js';
import { RedisTransport } from '../connection/redis-transport.js';

const channels = new RedisChannels('realtime', 0, 0);

/** A batch, and what it has said: to whom, and in frames of how many answers. */
function start(maxBytes = 1_000_000) {
  const said: [channel: string, text: string][] = [];
  class RecordingTransport extends RedisTransport {
    override send({ name }: RedisChannel, text: string): void {
      said.push([name, text]);
    }
  }
  const transport = new RecordingTransport(undefined as never, maxBytes);
  transport.open('me', () => undefined);
  return { batch: new AnswerBatch(channels, transport), said };
}

const frame = (sequence: number, counts: Extract<BusFrame, { kind: 'reached' }>['counts']) =>
  encodeFrame({ kind: 'reached', origin: 'me', sequence, counts });

it('the answers of one turn to one node leave in one frame', async () => {
  const { batch, said } = start();
  batch.add('a', [1, 5]);
  batch.add('b', [7, 1]);
  batch.add('a', [2, 6]);
  expect(said).toEqual([]);
  await nextTurn();
  const toA = frame(1, [
    [1, 5],
    [2, 6],
  ]);
  expect(said).toEqual([
    ['realtime@0:bus:a', toA],
    ['realtime@0:bus:b', frame(2, [[7, 1]])],
  ]);
});

it('connections that messages were left out for are told beside those that they reached', async () => {
  const { batch, said } = start();
  batch.add('a', [1, 5]);
  batch.add('a', [2, 6], 3);
  await nextTurn();
  const counts = [
    [1, 5],
    [2, 6],
  ] as const;
  const text = encodeFrame({ kind: 'reached', origin: 'me', sequence: 1, counts, dropped: [[2, 3]] });
  expect(said).toEqual([['realtime@0:bus:a', text]]);
});

it('those of another turn leave in another one', async () => {
  const { batch, said } = start();
  for (const answer of [1, 2]) {
    batch.add('a', [answer, 1]);
    await nextTurn();
  }
  expect(said.map(([, text]) => text)).toEqual([frame(1, [[1, 1]]), frame(2, [[2, 1]])]);
});

it('many leave in frames that are small enough', async () => {
  const { batch, said } = start(1_024);
  for (let sequence = 1; sequence <= 500; sequence++) batch.add('a', [sequence, 1]);
  await nextTurn();
  for (const [, text] of said) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_024);
  const answered = said.flatMap(([, text]) => JSON.parse(text.slice(text.indexOf('\n'))) as unknown[]);
  expect(answered).toEqual(Array.from({ length: 500 }, (_, index) => [index + 1, 1]));
});
