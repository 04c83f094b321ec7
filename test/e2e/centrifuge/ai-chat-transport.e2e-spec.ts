import { addAbortSignal, PassThrough } from 'node:stream';
import { ServiceUnavailableException, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { AbstractChat, type ChatState, type ChatStatus, type UIMessage } from 'ai';
import type { Centrifuge } from 'centrifuge';
import { user } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { AiChatTopic } from '../../../sample/03-ai-chat/src/chat/ai-chat.topic.js';
import { LanguageModel, type ChatMessage } from '../../../sample/03-ai-chat/src/model/language-model.js';
import { RealtimeChatTransport } from '../../../sample/03-ai-chat/src/transport/realtime-chat-transport.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, sdkFor } from '../../helpers/sdk.js';

/** A model that says what a test writes to it. */
class ScriptedModel extends LanguageModel {
  tokens = new PassThrough({ objectMode: true });
  conversation: readonly ChatMessage[] = [];
  signal?: AbortSignal;

  async *answer(conversation: readonly ChatMessage[], signal: AbortSignal): AsyncIterable<string> {
    this.conversation = conversation;
    this.signal = signal;
    this.tokens = new PassThrough({ objectMode: true });
    yield* addAbortSignal(signal, this.tokens) as AsyncIterable<string>;
  }

  /** Resolves when it was asked, and not before. */
  async asked(text: string): Promise<void> {
    await expect.poll(() => this.conversation.at(-1)).toEqual({ role: 'user', text });
  }
}

/** The state that the hook of a framework holds. */
class MemoryState implements ChatState<UIMessage> {
  status: ChatStatus = 'ready';
  error: Error | undefined = undefined;
  messages: UIMessage[] = [];
  pushMessage = (message: UIMessage) => void this.messages.push(message);
  popMessage = () => void this.messages.pop();
  replaceMessage = (index: number, message: UIMessage) => void (this.messages[index] = this.snapshot(message));
  snapshot = <T>(value: T): T => structuredClone(value);
}

/** What `useChat()` is made of. */
class Chat extends AbstractChat<UIMessage> {
  constructor(readonly client: Centrifuge) {
    super({ id: '1', transport: new RealtimeChatTransport(client), state: new MemoryState() });
  }

  get texts(): string[] {
    return this.messages.map(({ parts }) => parts.map((part) => (part.type === 'text' ? part.text : '')).join(''));
  }
}

let app: RealtimeApp;
let model: ScriptedModel;

beforeEach(async () => {
  model = new ScriptedModel();
  const pipe = { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) };
  const providers = [AiChatTopic, { provide: LanguageModel, useValue: model }, pipe];
  app = await startRealtimeApp({ providers, options: { centrifuge: true } });
});

/** A page that shows the chat. */
async function openChat(): Promise<Chat> {
  return new Chat(await connected(sdkFor(app, { token: testToken('ann') })));
}

/** A page that has asked, and shows the beginning of the answer. */
async function askingChat(): Promise<{ chat: Chat; answered: Promise<void> }> {
  const chat = await openChat();
  const answered = chat.sendMessage({ text: 'Why?' });
  await model.asked('Why?');
  model.tokens.write('Because ');
  await expect.poll(() => chat.texts).toEqual(['Why?', 'Because ']);
  return { chat, answered };
}

describe('useChat over the transport of sample 03', () => {
  it('shows the whole answer', async () => {
    const { chat, answered } = await askingChat();
    model.tokens.write('it ');
    model.tokens.end('is.');
    await answered;
    expect([chat.status, chat.texts]).toEqual(['ready', ['Why?', 'Because it is.']]);
  });

  it('gives the model what was said before', async () => {
    const { chat, answered } = await askingChat();
    model.tokens.end();
    await answered;
    const again = chat.sendMessage({ text: 'And now?' });
    await model.asked('And now?');
    model.tokens.end('Now too.');
    await again;
    expect(model.conversation.map(({ text }) => text)).toEqual(['Why?', 'Because ', 'And now?']);
    expect(chat.texts).toEqual(['Why?', 'Because ', 'And now?', 'Now too.']);
  });

  it('stops the model when it is stopped, and keeps what has come', async () => {
    const { chat } = await askingChat();
    await chat.stop();
    await expect.poll(() => model.signal?.aborted).toBe(true);
    expect([chat.status, chat.texts]).toEqual(['ready', ['Why?', 'Because ']]);
  });

  it('goes on when the connection is lost in the middle', async () => {
    const { chat, answered } = await askingChat();
    const back = next(chat.client, 'connected');
    await app.realtime.disconnect(user('ann'), { reconnect: true });
    model.tokens.write('it ');
    await back;
    model.tokens.end('is.');
    await answered;
    expect([chat.status, chat.texts]).toEqual(['ready', ['Why?', 'Because it is.']]);
  });

  it('tells how the model failed, behind what it had said', async () => {
    const { chat, answered } = await askingChat();
    model.tokens.destroy(new ServiceUnavailableException('The model is overloaded.'));
    await answered;
    expect([chat.status, chat.error?.message]).toEqual(['error', 'The model is overloaded.']);
    expect(chat.texts).toEqual(['Why?', 'Because ']);
  });

  it('tells why a question was refused', async () => {
    await askingChat();
    const other = await openChat();
    await other.sendMessage({ text: 'Me too?' });
    expect([other.status, other.error?.message]).toEqual([
      'error',
      'The last question is still being answered; stop it first.',
    ]);
    // The drain would wait for it.
    model.tokens.end();
  });
});

describe('useChat in a page that comes in the middle', () => {
  it('resumes the answer from its beginning', async () => {
    const { chat } = await askingChat();
    chat.client.disconnect();
    model.tokens.write('it ');
    const reloaded = await openChat();
    const resumed = reloaded.resumeStream();
    await expect.poll(() => reloaded.texts).toEqual(['Because it ']);
    model.tokens.end('is.');
    await resumed;
    expect([reloaded.status, reloaded.texts]).toEqual(['ready', ['Because it is.']]);
  });

  it('shows an answer that it had begun to show once', async () => {
    const { chat } = await askingChat();
    const { client } = chat;
    const before = client.getSubscription('ai:1');
    const resumed = chat.resumeStream();
    await expect.poll(() => client.getSubscription('ai:1') !== before).toBe(true);
    await client.getSubscription('ai:1')!.ready();
    model.tokens.end('it is.');
    await resumed;
    expect(chat.texts).toEqual(['Why?', 'Because it is.']);
  });

  it('resumes nothing where nothing runs', async () => {
    const { answered } = await askingChat();
    model.tokens.end();
    await answered;
    const reloaded = await openChat();
    await reloaded.resumeStream();
    expect([reloaded.status, reloaded.texts]).toEqual(['ready', []]);
  });

  it('leaves the answer to others when it stops reading', async () => {
    const { chat, answered } = await askingChat();
    const other = await openChat();
    void other.resumeStream();
    await expect.poll(() => other.texts).toEqual(['Because ']);
    await other.stop();
    model.tokens.end('it is.');
    await answered;
    expect([model.signal?.aborted, chat.texts]).toEqual([false, ['Why?', 'Because it is.']]);
  });
});
