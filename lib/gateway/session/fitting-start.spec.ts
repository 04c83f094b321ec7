import { expect, it } from 'vitest';
import { MessageFrames } from '../../delivery/message-frames.js';
import { fitting } from './fitting-start.js';

const position = { epoch: 'e', offset: 1 };
const top = { epoch: 'e', offset: 2 };
const frames = [new MessageFrames('{}', 'log', 2)];

it('an admission that fits stays as it is', () => {
  const admission = { position, recovered: true, top, frames, length: 50 };
  expect(fitting(admission, { sendQueueBytes: 100 })).toEqual({ position, recovered: true, frames });
});

it('what would fill more than half of the queue is not recovered', () => {
  const admission = { position, recovered: true, top, frames, length: 51 };
  expect(fitting(admission, { sendQueueBytes: 100 })).toEqual({ position: top, recovered: false, frames: [] });
});

it('what nobody wished to recover is not said to be lost', () => {
  expect(fitting({ position, top, frames, length: 51 }, { sendQueueBytes: 100 })).toEqual({ position, frames });
});
