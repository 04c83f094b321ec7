import type { FramedStreamStart } from '../../delivery/topic-stream.js';

/** The start of a topic as one client can take it: its confirmation, and the frames that follow. */
export type FittingStart = Pick<FramedStreamStart, 'position' | 'recovered' | 'frames'>;

/**
 * Limits the start of a topic to what one client can take. More than the send queue holds would end the connection, and the
 * client would ask for it again, for ever; so that much is not recovered.
 */
export function fitting(
  { position, recovered, frames, top, length }: FramedStreamStart,
  { sendQueueBytes }: { readonly sendQueueBytes: number },
): FittingStart {
  const isTooMuch = recovered === true && length * 2 > sendQueueBytes;
  if (isTooMuch) return { position: top, recovered: false, frames: [] };
  return { position, ...(recovered !== undefined && { recovered }), frames };
}
