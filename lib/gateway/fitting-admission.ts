import type { StreamAdmission } from '../delivery/topic-stream.js';

/** What a client is told of how it enters a topic, and what follows that. */
export type FittingAdmission = Pick<StreamAdmission, 'position' | 'recovered' | 'frames'>;

/**
 * An admission as one client can take it. What would not fit into the queue of its socket would end the connection, and be
 * asked for again, for ever: then it is not recovered.
 */
export function fitting(
  { position, recovered, frames, top, length }: StreamAdmission,
  { sendQueueBytes }: { readonly sendQueueBytes: number },
): FittingAdmission {
  const isTooMuch = recovered === true && length * 2 > sendQueueBytes;
  if (isTooMuch) return { position: top, recovered: false, frames: [] };
  return { position, ...(recovered !== undefined && { recovered }), frames };
}
