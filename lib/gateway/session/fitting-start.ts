import type { FramedStreamStart } from '../../delivery/topic-stream.js';

/** What a client is told of how it enters a topic, and what follows that. */
export type FittingStart = Pick<FramedStreamStart, 'position' | 'recovered' | 'frames'>;

/**
 * An admission as one client can take it. What would not fit into the queue of its socket would end the connection, and be
 * asked for again, for ever: then it is not recovered.
 */
export function fitting(
  { position, recovered, frames, top, length }: FramedStreamStart,
  { sendQueueBytes }: { readonly sendQueueBytes: number },
): FittingStart {
  const isTooMuch = recovered === true && length * 2 > sendQueueBytes;
  if (isTooMuch) return { position: top, recovered: false, frames: [] };
  return { position, ...(recovered !== undefined && { recovered }), frames };
}
