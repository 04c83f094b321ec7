import type { ChatTransport, UIMessage, UIMessageChunk } from 'ai';
import type { Centrifuge, Subscription } from 'centrifuge';
import { followStream } from 'nestjs-realtime/client';
import { chunksOf } from './chunks.js';

/**
 * A transport for `useChat()` of the npm package `ai`: answers that survive a reload, and nodes that are killed.
 *
 * ```ts
 * const { messages, sendMessage } = useChat({ id, transport: new RealtimeChatTransport(client), resume: true });
 * ```
 *
 * The subscriptions to `ai:{chatId}` are its own: don't share the client with code that makes them, too.
 */
export class RealtimeChatTransport implements ChatTransport<UIMessage> {
  /** A running answer comes from its beginning again. */
  readonly resumeStreamIsReplay = true;

  constructor(private readonly client: Centrifuge) {}

  /** Asks what the last message says. An abort stops the model. If the server refuses, the stream fails with its text. */
  async sendMessages({
    chatId,
    messages,
    abortSignal,
  }: Parameters<ChatTransport<UIMessage>['sendMessages']>[0]): Promise<ReadableStream<UIMessageChunk>> {
    abortSignal?.throwIfAborted();
    const topic = `ai:${chatId}`;
    const subscription = this.client.getSubscription(topic) ?? this.client.newSubscription(topic);
    subscription.subscribe();
    const asked = this.ask(subscription, textOf(messages.at(-1)), abortSignal);
    abortSignal?.addEventListener('abort', () => void this.stop(topic, asked), { once: true });
    return chunksOf(asked, (signal) => followStream<string>(subscription, asked, { signal }), abortSignal);
  }

  /**
   * Follows the answer that runs, from its beginning. An abort ends the reading only, since another reader of the same chat, or a
   * second call, aborts the first one.
   * @returns `null` if none runs
   */
  async reconnectToStream({
    chatId,
    abortSignal,
  }: Parameters<ChatTransport<UIMessage>['reconnectToStream']>[0]): Promise<ReadableStream<UIMessageChunk> | null> {
    abortSignal?.throwIfAborted();
    const subscription = this.subscribeAnew(`ai:${chatId}`);
    const running = new Promise<string | null>((resolve, reject) => {
      subscription.once('subscribed', ({ data }) => resolve((data as { running: string | null }).running));
      subscription.once('unsubscribed', ({ code, reason }) => reject(Object.assign(new Error(reason), { code })));
      abortSignal?.addEventListener('abort', () => reject(abortSignal.reason as Error), { once: true });
    });
    // It listens before it subscribes: what was published before comes right behind the answer.
    const id = running.then((found) => found ?? '');
    const chunks = chunksOf(id, (signal) => followStream<string>(subscription, id, { signal }), abortSignal);
    subscription.subscribe();
    if ((await running) !== null) return chunks;
    await chunks.cancel();
    return null;
  }

  /** Returns a subscription that is sent what was published before. */
  private subscribeAnew(topic: string): Subscription {
    const old = this.client.getSubscription(topic);
    if (old) {
      old.unsubscribe();
      this.client.removeSubscription(old);
    }
    return this.client.newSubscription(topic);
  }

  private async ask(subscription: Subscription, text: string, abortSignal?: AbortSignal): Promise<string> {
    try {
      await subscription.ready();
      abortSignal?.throwIfAborted();
      const { data } = await this.client.rpc('ask', { topic: subscription.channel, payload: { text } });
      return (data as { id: string }).id;
    } catch (error) {
      if (error instanceof Error) throw error;
      // The SDK rejects with a plain object, and useChat() tells errors only.
      const { code, message } = error as { code: number; message: string };
      throw Object.assign(new Error(message), { code });
    }
  }

  /** A question that was refused has no answer to stop. */
  private async stop(topic: string, asked: Promise<string>): Promise<void> {
    const id = await asked.catch(() => undefined);
    if (id !== undefined) await this.client.rpc('stop', { topic, payload: { id } }).catch(() => undefined);
  }
}

function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
}
