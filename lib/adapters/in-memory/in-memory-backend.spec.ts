import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../ports/message-bus.js';
import { inMemoryBackend } from './in-memory-backend.js';
import { InMemoryMessageBus } from './in-memory-message-bus.js';

describe('inMemoryBackend', () => {
  it('provides a bus', async () => {
    expect(await busOf(inMemoryBackend())).toBeInstanceOf(InMemoryMessageBus);
  });

  it('gives each application a bus of its own', async () => {
    const backend = inMemoryBackend();
    expect(await busOf(backend)).not.toBe(await busOf(backend));
  });
});

async function busOf({ providers }: ReturnType<typeof inMemoryBackend>): Promise<MessageBus> {
  const module = await Test.createTestingModule({ providers }).compile();
  return module.get(MessageBus);
}
