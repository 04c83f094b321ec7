import { InMemoryHistoryStore } from '../../lib/adapters/in-memory/in-memory-history-store.js';
import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';
import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { topic as topicAddress } from '../../lib/core/routing/address.js';
import type { Envelope, MessageContent } from '../../lib/core/routing/envelope.js';
import type { HistoryPage, HistoryRange } from '../../lib/core/history/history.js';
import type { HistoryStore, PositionedReport, HistoryPublishOptions } from '../../lib/ports/history-store.js';
import type { EnvelopeReceiver, MessageBus } from '../../lib/ports/message-bus.js';
import { historyStoreContract, type HistoryStoreSetup } from '../../lib/testing/contracts/index.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

/** @param change what the bus does with what arrives */
const createWith = (change: (receive: EnvelopeReceiver) => EnvelopeReceiver): HistoryStoreSetup => {
  const clock = new ManualClock();
  const bus = twinOf<MessageBus>(
    () => new InMemoryMessageBus(),
    (real) => ({ open: (node) => real.open({ ...node, receive: change(node.receive) }) }),
  )();
  const history = new InMemoryHistoryStore(bus, clock, new RandomIdGenerator());
  return { history, bus, elapse: (ms) => clock.advance(ms) };
};
const create = () => createWith((receive) => receive);

/** A store that does something else. */
const twin = (change: (real: HistoryStore, setup: HistoryStoreSetup) => Partial<HistoryStore>) => () => {
  const setup = create();
  return {
    ...setup,
    history: twinOf(
      () => setup.history,
      (real) => change(real, setup),
    )(),
  };
};

/** A store that changes what it reports. */
const reporting = (change: (report: PositionedReport, options: HistoryPublishOptions) => Partial<PositionedReport>) =>
  twin((real) => ({
    async publish(topic, text, retention, options) {
      const report = await real.publish(topic, text, retention, options);
      return { ...report, ...change(report, options) };
    },
  }));

/** A store that takes a topic, a key or a retention for something else. */
const publishing = (change: (...args: Parameters<HistoryStore['publish']>) => Parameters<HistoryStore['publish']>) =>
  twin((real) => ({ publish: (...args) => real.publish(...change(...args)) }));

/** A store that is asked for something else. */
const ranging = (change: (range: HistoryRange) => HistoryRange) =>
  twin((real) => ({ read: (topic, range, retention) => real.read(topic, change(range), retention) }));

/** A store that changes what it finds. */
const result = (change: (page: HistoryPage, range: HistoryRange) => Partial<HistoryPage>) =>
  twin((real) => ({
    async read(topic, range, retention) {
      const page = await real.read(topic, range, retention);
      return { ...page, ...change(page, range) };
    },
  }));

/** A store that hands something else to the bus. */
const carrying = (change: (content: MessageContent) => MessageContent) => () =>
  createWith((receive) => (envelope) => receive(changed(envelope, change)));

function changed(envelope: Envelope, change: (content: MessageContent) => MessageContent): Envelope {
  const { content } = envelope;
  return content.kind === 'message' ? { ...envelope, content: change(content) } : envelope;
}

/** A store whose publications arrive two by two, the second one first. */
const swapping = () =>
  createWith((receive) => {
    let heldBack: Envelope | undefined;
    return (envelope) => {
      if (heldBack === undefined) {
        heldBack = envelope;
        return 1;
      }
      void receive(envelope);
      const reached = receive(heldBack);
      heldBack = undefined;
      return reached;
    };
  });

/** A store that makes every publication twice, or in which each key is unknown. */
const forgetful = publishing((topic, text, retention, { report }) => [topic, text, retention, { report }]);

const inUtf8 = (text: string) => Buffer.from(text).toString();

const ascii = (text: string) => text.replace(/[^\0-\x7f]/g, '?');

keepsItsContract('InMemoryHistoryStore', historyStoreContract, create);

canBeBroken(historyStoreContract, {
  'has a position for a topic to which nothing was published: the offset 0, in an epoch': result(() => ({
    top: { epoch: '', offset: 0 },
  })),
  'has the same epoch before the first publication and after it': result(({ top }) => ({
    top: { ...top, epoch: top.offset === 0 ? 'none' : top.epoch },
  })),
  'counts the publications of a topic from 1, in one epoch': reporting(({ offset }) => ({ epoch: `e${offset}` })),
  'counts without a hole what is published at the same time': reporting(({ offset }) => ({
    offset: offset > 150 ? offset + 1 : offset,
  })),
  'knows the position of the latest publication': result(({ top }) => ({ top: { ...top, offset: top.offset - 1 } })),
  'counts each topic for itself, and in an epoch of its own': publishing((_topic, ...rest) => ['all', ...rest]),
  'keeps what was published to one topic out of another': twin((real) => ({
    publish: (_topic, ...rest) => real.publish('all', ...rest),
    read: (_topic, ...rest) => real.read('all', ...rest),
  })),
  'hands each publication to the bus with its position': carrying(({ kind, text }) => ({ kind, text })),
  'hands what is published to the topic of a user’s own to the bus as something for that user': () =>
    createWith((receive) => (envelope) => receive({ ...envelope, to: [topicAddress('contract:all')] })),
  'keeps apart the topics of users whose ids no UTF-8 can tell apart': twin((real) => ({
    publish: (topic, ...rest) => real.publish(inUtf8(topic), ...rest),
    read: (topic, ...rest) => real.read(inUtf8(topic), ...rest),
  })),
  'hands publications to the bus in the order of their offsets': swapping,
  'keeps what it has handed to the bus, in the same order': swapping,
  'reports what a publication has reached': reporting(() => ({ recipients: 1 })),
  'keeps what has reached nobody': twin((real) => ({
    read: (topic, range, retention) => real.read(topic, { ...range, limit: 0 }, retention),
  })),
  'publishes when no report is asked for': reporting((_report, { report }) => (report ? {} : { offset: 0 })),
  'carries and keeps a long text of any characters unchanged': publishing((topic, text, ...rest) => [
    topic,
    ascii(text),
    ...rest,
  ]),
  'keeps the last publications, as many as it is told to': publishing((topic, text, { ttlMs }, options) => [
    topic,
    text,
    // As a store does that trims by blocks of a hundred.
    { size: 200, ttlMs },
    options,
  ]),
  'keeps all of them until the time after the last one is over': publishing((topic, text, { size }, options) => [
    topic,
    text,
    { size, ttlMs: 1_000 },
    options,
  ]),
  'forgets them when that time is over, and goes on counting in the same epoch': publishing(
    (topic, text, { size }, options) => [topic, text, { size, ttlMs: 60_000 }, options],
  ),
  'finds no more than the limit, the oldest first': ranging((range) => ({ ...range, limit: range.limit + 1 })),
  'finds the latest first in reverse': result(({ publications }) => ({ publications: publications.toReversed() })),
  'finds the position alone when nothing more is asked for': ranging((range) => ({
    ...range,
    limit: range.limit || Infinity,
  })),
  'finds those after an offset': ranging(({ since, ...range }) => ({ ...range, ...(since && { since: since - 1 }) })),
  'finds those before an offset, in reverse': ranging(({ since, ...range }) => ({
    ...range,
    ...(since && { since: since + 1 }),
  })),
  'begins with the oldest that is kept when what follows an offset is not': result(({ publications }, { since }) => ({
    publications: publications[0] && since !== undefined && publications[0].offset > since + 1 ? [] : publications,
  })),
  'finds nothing before the oldest that is kept, and nothing after the latest': ranging(({ since, ...range }) => ({
    ...range,
    ...(since && { since }),
  })),
  'takes an offset that was never counted for one behind the latest': ranging((range) => ({
    ...range,
    ...(range.since && { since: Math.min(range.since, 3) }),
  })),
  'finds everything once, page by page, in both directions': ranging(({ since, ...range }) => ({
    ...range,
    ...(since && { since: range.reverse ? since : since + 1 }),
  })),
  'publishes once what is published again with the same key': forgetful,
  'publishes once what is published several times at the same time with the same key': twin((real) => {
    const known = new Map<string, PositionedReport>();
    return {
      async publish(topic, text, retention, { idempotencyKey = '', report }) {
        const before = known.get(idempotencyKey);
        await Promise.resolve();
        if (before) return before;
        const made = await real.publish(topic, text, retention, { report });
        known.set(idempotencyKey, made);
        return made;
      },
    };
  }),
  'takes different keys, and none, for different publications': publishing((topic, text, retention, options) => [
    topic,
    text,
    retention,
    { ...options, ...(options.idempotencyKey && { idempotencyKey: options.idempotencyKey.trim() }) },
  ]),
  'takes the same key in two topics for two': twin((real) => {
    let known: PositionedReport | undefined;
    return {
      async publish(...args) {
        known ??= await real.publish(...args);
        return { ...known, complete: false };
      },
    };
  }),
});
