import { nameOf, topicName, type Phase } from '../workload.js';
import type { Crowd } from './crowd.js';
import type { Job, PhaseResult } from './job.js';
import { measureSpan, type Instruments } from './span.js';

/** So many topics are published to before it counts, so that memory for compiled code is not counted with that for streams. */
const WARM_UP = 200;

/** Publishes to topics without subscribers. Counts the publications that the server confirms. */
export async function keep(
  phase: Extract<Phase, { readonly kind: 'keep' }>,
  { workload }: Job,
  crowd: Crowd,
  instruments: Instruments,
): Promise<PhaseResult> {
  const { streams, publications } = phase;
  const { lines, tally } = instruments;
  const first = workload.topics + WARM_UP;
  for (let number = workload.topics; number < first; number++) await lines[0]!.keep(topicName(number), publications);
  const before = await crowd.rested();
  const result = await measureSpan(nameOf(phase), instruments, 1, async () => {
    for (let number = 0; number < streams; number++) {
      const { offset } = await lines[0]!.keep(topicName(first + number), publications);
      tally.messages += offset;
    }
    return { asked: streams, deliveriesEach: publications };
  });
  const after = await crowd.rested();
  const each = (of: 'heapBytes' | 'rssBytes') => (after[of] - before[of]) / streams;
  return { ...result, bytesEach: { heap: each('heapBytes'), rss: each('rssBytes') } };
}
