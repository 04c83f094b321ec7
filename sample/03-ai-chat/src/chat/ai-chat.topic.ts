import { randomUUID } from 'node:crypto';
import { ConflictException } from '@nestjs/common';
import { allow, MessageBody, OnMessage, OnSubscribe, RealtimeService, TopicGateway, TopicName } from 'nestjs-realtime';
import { LanguageModel } from '../model/language-model.js';
import { AskDto } from './ask.dto.js';
import { conversationOf, runningIn } from './conversation.js';
import { StopDto } from './stop.dto.js';

/** Most publications that are kept of a conversation: a minute of an answer is up to 1,200. */
const KEPT = 5_000;

/**
 * A conversation. Questions and the pieces of the answers are published and kept, so whoever subscribes is sent all of it, and then
 * what comes: a reload, a second tab and a change of node are the same thing.
 *
 * Its name is the key to it: a page takes a random one. A real application checks in `join()` whose conversation it is.
 */
@TopicGateway('ai:{chatId}', { history: { size: KEPT, ttlMs: 3_600_000, sendLast: KEPT } })
export class AiChatTopic {
  constructor(
    private readonly realtime: RealtimeService,
    private readonly model: LanguageModel,
  ) {}

  /** Tells which answer runs, for clients that want only that one. */
  @OnSubscribe()
  async join(@TopicName() topic: string) {
    return allow({ data: { running: (await this.running(topic)) ?? null } });
  }

  /** Resolves when the answer has begun. It goes on whether or not the page that asked is still there. */
  @OnMessage('ask')
  async ask(@MessageBody() { text }: AskDto, @TopicName() topic: string): Promise<{ id: string }> {
    if (await this.running(topic))
      throw new ConflictException('The last question is still being answered; stop it first.');
    const id = randomUUID();
    await this.realtime.stream(topic, (signal) => this.answer(topic, id, text, signal), { id, type: 'answer' });
    return { id };
  }

  @OnMessage('stop')
  async stop(@MessageBody() { id }: StopDto, @TopicName() topic: string): Promise<{ stopped: boolean }> {
    return { stopped: await this.realtime.stopStream(topic, id) };
  }

  /** The stream is known to all nodes before its question is published: if this one crashes, every question still gets an end. */
  private async *answer(topic: string, id: string, text: string, signal: AbortSignal): AsyncIterable<string> {
    await this.realtime.publish(topic, { type: 'question', payload: { id, text } }, { report: false });
    const { publications } = await this.realtime.history(topic, { limit: KEPT });
    yield* this.model.answer(conversationOf(publications), signal);
  }

  private async running(topic: string): Promise<string | undefined> {
    const { publications } = await this.realtime.history(topic, { limit: 1, reverse: true });
    return runningIn(publications[0]);
  }
}
