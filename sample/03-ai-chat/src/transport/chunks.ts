import type { UIMessageChunk } from 'ai';

/**
 * Makes of an answer the chunks that `useChat()` reads. The message has the id of the answer, so that one which comes again takes the
 * place of the first.
 * @param id of the answer; what it rejects with is what the stream fails with
 * @param follow called at once; its signal is aborted when nobody reads any more
 */
export function chunksOf(
  id: PromiseLike<string>,
  follow: (signal: AbortSignal) => AsyncIterable<string>,
  abortSignal?: AbortSignal,
): ReadableStream<UIMessageChunk> {
  const left = new AbortController();
  const signal = abortSignal ? AbortSignal.any([abortSignal, left.signal]) : left.signal;
  const chunks = chunksFrom(id, follow(signal), signal);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => left.abort(),
  });
}

async function* chunksFrom(
  answer: PromiseLike<string>,
  text: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<UIMessageChunk, undefined> {
  const id = await answer;
  yield { type: 'start', messageId: id };
  yield { type: 'text-start', id };
  try {
    for await (const delta of text) yield { type: 'text-delta', id, delta };
  } catch (error) {
    // As an aborted fetch() does.
    if (signal.aborted) throw error;
    yield { type: 'error', errorText: error instanceof Error ? error.message : String(error) };
    return undefined;
  }
  yield { type: 'text-end', id };
  yield { type: 'finish' };
  return undefined;
}
