import { nameOf, topicName, type Commotion } from '../workload.js';
import { SECRET } from '../secret.js';
import { BystanderLine } from './bystander-line.js';
import { stamp } from './client-frame.js';
import { userOf, type Crowd } from './crowd.js';
import type { Job, PhaseResult } from './job.js';
import { middleRound } from './rounds.js';
import { measureCrush, settled, type Instruments } from './span.js';
import { tokenFor } from './token.js';

/** So many wait to be let in at a time: a listening socket of Node.js holds 511. */
const KNOCKING = 400;

/** How many messages are sent to everybody in one round. */
const BROADCASTS = 10;

/** So many were published while everybody was away. */
const MISSED = 10;

/** So many members are told who comes and goes, where the server can do that. */
const WATCHERS = 10;

/** The share of members that stays when the others leave at once. */
const STAYING = 0.1;

/** Rounds enter a topic of their own, so that entering costs the same each time. */
let nextTopic = 0;

/**
 * Measures how long a client beside the crowd waits for its answers while something happens to all but the first of the crowd.
 * @returns the round in the middle; nothing when the server cannot do that
 */
export async function bystand(
  during: Commotion,
  job: Job,
  crowd: Crowd,
  instruments: Instruments,
): Promise<PhaseResult | undefined> {
  const { features, ask } = job.dialect;
  const isOurs = during === 'leaves' || during === 'judgements';
  if (ask?.plain === undefined || (isOurs && !features)) return undefined;
  const number = job.workload.connections;
  const bystander = await BystanderLine.open(job.bystander!, {
    number,
    port: job.ports[0]!,
    dialect: job.dialect,
    question: ask.plain,
    token: tokenFor(userOf(number), SECRET),
  });
  try {
    return await standBy(bystander, during, job, crowd, instruments);
  } finally {
    await bystander.close();
  }
}

async function standBy(
  bystander: BystanderLine,
  during: Commotion,
  { workload, dialect }: Job,
  crowd: Crowd,
  instruments: Instruments,
): Promise<PhaseResult> {
  const { lines, tally, turns } = instruments;
  const { features } = dialect;
  const members = workload.connections - 1;
  crowd.clients[0]!.listen((text) => count(text, '"tick"'));
  const count = (text: string, awaited: string) => {
    if (text.includes('"realtime:error"')) throw new Error(`The server would not do what it was asked for: ${text}`);
    if (text.includes(awaited)) tally.count(text);
  };
  const listen = (awaited: string) => {
    for (const client of crowd.clients.slice(1)) client.listen((text) => count(text, awaited));
  };
  const say = (text: string, topic: string, first = 0) => {
    listen(text === features?.leave ? '"realtime:unsubscribed"' : dialect.subscribed);
    crowd.clients.slice(1).forEach((client, number) => {
      if (number < first) return;
      const said = text === dialect.subscribe && number < WATCHERS ? (features?.watch ?? text) : text;
      client.say(said.replace('{topic}', topic));
    });
    return { asked: members - first, deliveriesEach: 1 };
  };
  /** The same, not measured. */
  const prepare = async (text: string, topic: string) => {
    const before = tally.messages;
    const { asked } = say(text, topic);
    await settled(() => tally.messages - before, asked, turns);
  };
  const measured = async (work: () => Promise<{ readonly asked: number; readonly deliveriesEach: number }>) => {
    const name = nameOf({ kind: 'bystand', during });
    const { done, waits } = await bystander.during(() => measureCrush(name, instruments, 1, work));
    return { ...done, latencyMicros: waits };
  };

  const judgedTopic = topicName(nextTopic++);
  if (during === 'judgements') await prepare(dialect.subscribe, judgedTopic);
  return middleRound(1, async () => {
    const topic = topicName(nextTopic++);
    switch (during) {
      case 'joins': {
        const result = await measured(async () => say(dialect.subscribe, topic));
        if (features) await prepare(features.leave, topic);
        return result;
      }
      case 'leaves': {
        await prepare(dialect.subscribe, topic);
        const first = Math.floor(members * STAYING);
        const result = await measured(async () => say(features!.leave, topic, first));
        const before = tally.messages;
        crowd.clients.slice(1, 1 + first).forEach((client) => client.say(features!.leave.replace('{topic}', topic)));
        await settled(() => tally.messages - before, first, turns);
        return result;
      }
      case 'broadcasts':
        listen('"tick"');
        return measured(async () => {
          const before = tally.messages;
          for (let nth = 0; nth < BROADCASTS; nth++) {
            lines[0]!.publish(undefined, nth, stamp(performance.now()));
            lines[0]!.flush();
            await settled(() => tally.messages - before, (nth + 1) * workload.connections, turns);
          }
          return { asked: BROADCASTS, deliveriesEach: workload.connections };
        });
      case 'judgements':
        return measured(async () => {
          tally.messages += await lines[0]!.judge(members);
          return { asked: members, deliveriesEach: 1 };
        });
      case 'a return': {
        await crowd.leave(1, 1);
        const place = features && (await lines[0]!.keep(topic, 0));
        if (place) await lines[0]!.keep(topic, MISSED);
        const text = place
          ? features.recover.replace('{epoch}', place.epoch).replace('{offset}', String(place.offset))
          : dialect.subscribe;
        return measured(async () => {
          await crowd.each(async (number) => {
            if (number === 0) return;
            await crowd.admit(number);
            crowd.clients[number]!.listen((heard) => {
              count(heard, dialect.subscribed);
              if (place) count(heard, '"tick"');
            });
            crowd.clients[number]!.say(text.replace('{topic}', topic));
          }, KNOCKING);
          return { asked: members, deliveriesEach: 1 + (place ? MISSED : 0) };
        });
      }
      default:
        return during satisfies never;
    }
  });
}
