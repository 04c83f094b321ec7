import type { StreamPlace } from '../servers/server-control.js';
import { nameOf, topicName, topicsOf } from '../workload.js';
import type { Crowd } from './crowd.js';
import type { Job, PhaseResult } from './job.js';
import { Recovery } from './recovery.js';
import { middleRound } from './rounds.js';
import { measureCrush, type Instruments } from './span.js';

/** So many wait to be let in at a time: a listening socket of Node.js holds 511, and who finds it full tries again after a second. */
const KNOCKING = 400;

/** It takes long until all the code of an entrance has been compiled for speed. */
const WARM_UPS = 2;

/**
 * A deploy: all clients, each in one topic, are gone, so much is published to each topic, and all come back for it at once.
 * Latencies are those of clients, from when all come until one has everything.
 */
export function recover(missed: number, job: Job, crowd: Crowd, instruments: Instruments): Promise<PhaseResult> {
  return middleRound(WARM_UPS, () => comeBack(missed, job, crowd, instruments));
}

async function comeBack(missed: number, job: Job, crowd: Crowd, instruments: Instruments): Promise<PhaseResult> {
  const { workload, dialect } = job;
  const { tally } = instruments;
  await crowd.leave();
  const places = await publish(missed, job, instruments);
  return measureCrush(nameOf({ kind: 'recover', missed }), instruments, 1, async () => {
    const start = performance.now();
    await crowd.each(async (number) => {
      await crowd.admit(number);
      const [topic] = topicsOf(number, workload);
      const { epoch, offset } = places.get(topic!)!;
      const recovery = new Recovery({ epoch, offset }, missed);
      crowd.clients[number]!.listen((text) => {
        if (!recovery.take(text)) return;
        tally.count(text);
        if (recovery.isComplete) tally.latency.add((performance.now() - start) * 1_000);
      });
      const asked = dialect.features!.recover.replace('{topic}', topic!).replace('{epoch}', epoch);
      crowd.clients[number]!.say(asked.replace('{offset}', String(offset)));
    }, KNOCKING);
    // Each is told that it has recovered, too.
    return { asked: workload.connections, deliveriesEach: missed + 1 };
  });
}

/** @returns where each topic stood before */
async function publish(missed: number, { workload }: Job, { lines }: Instruments): Promise<Map<string, StreamPlace>> {
  const places = new Map<string, StreamPlace>();
  for (let number = 0; number < workload.topics; number++) {
    const topic = topicName(number);
    const { epoch, offset } = await lines[0]!.keep(topic, missed);
    places.set(topic, { epoch, offset: offset - missed });
  }
  return places;
}
