import type { FramedStreamStart } from '../../delivery/topic-stream.js';

/** The start of a topic within the limits of one client: its confirmation, and the frames that follow. */
export type FittingStart = Pick<FramedStreamStart, 'position' | 'recovered' | 'frames'>;

/**
 * Limits the start of a topic to the send queue of one client. Missed publications that exceed the send queue would end the
 * connection as a slow consumer, and the client would request them again in an endless loop; so they are not recovered.
 */
export function fitting(
  { position, recovered, frames, top, length }: FramedStreamStart,
  { sendQueueBytes }: { readonly sendQueueBytes: number },
): FittingStart {
  const isTooMuch = recovered === true && length * 2 > sendQueueBytes;
  if (isTooMuch) return { position: top, recovered: false, frames: [] };
  return { position, ...(recovered !== undefined && { recovered }), frames };
}
