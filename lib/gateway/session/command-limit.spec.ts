import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientAllowance } from '../../core/protocol/client-allowance.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import { CommandLimit } from './command-limit.js';

const messageTo = (topic: string): Decoded => ({ ok: true, command: { action: 'message', topic, type: 'ask' } });
const message = messageTo('desk');
const subscribe = (topic: string): Decoded => ({ ok: true, command: { action: 'subscribe', topic } });
const unreadable: Decoded = { ok: false, error: { code: 'INVALID_MESSAGE', message: 'for the test' } };

/** What this is not about. */
const APART = {
  answers: { perSecond: 65_536, burst: 655_360 },
  pings: { perSecond: 1, burst: 10 },
  refusals: { perSecond: 1, burst: 1_000 },
};

/** Two commands at once, then one every 100 ms. */
const RATE = { ...APART, perSecond: 10, burst: 2, opening: 0, total: { perSecond: 100, burst: 100 } };

let now: number;
let log: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  now = 0;
  log = [];
});

afterEach(async () => {
  await ticked();
  vi.useRealTimers();
});

/** A limit for a connection that has room for no topic but "open". */
function limitOf(rate = RATE, allowance = new ClientAllowance(rate, now)): CommandLimit {
  const clock = { now: () => now };
  return new CommandLimit(allowance, clock, {
    pauseReading: (reason) => void log.push(`pause: ${reason}`),
    resumeReading: (reason) => void log.push(`resume: ${reason}`),
    sendNotice: (number) => void log.push(`ping: ${number}`),
    hasRoomFor: (topic) => topic === 'open',
  });
}

/** Sends one command after another. @returns what each of them exceeded */
const send = (limit: CommandLimit, count: number, decoded = message) =>
  Array.from({ length: count }, () => limit.take(decoded));

/** Lets the reading pause begin, which waits for the next tick. */
const ticked = () => new Promise((resolve) => setImmediate(resolve));

function pass(ms: number): void {
  now += ms;
  vi.advanceTimersByTime(ms);
}

describe('a command of many values', () => {
  it('counts like several, and pauses reading for as long as they would', async () => {
    const limit = limitOf();
    expect(limit.take({ ...message, values: 4_200 })).toBeUndefined();
    await ticked();
    pass(399);
    expect(log).toEqual(['pause: rate']);
    pass(2);
    expect(log).toEqual(['pause: rate', 'resume: rate']);
  });

  it('counts so if it cannot be read as well', () => {
    expect(send(limitOf(), 2, { ...unreadable, values: 1_000 })).toEqual([
      undefined,
      expect.objectContaining({ retryAfterMs: 100 }),
    ]);
  });
});

describe('a command within the rate limit', () => {
  it('is not refused, and the client is read on while another one may follow', async () => {
    expect(limitOf().take(message)).toBeUndefined();
    await ticked();
    expect([log, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('that is the last one is not refused, but pauses reading until the next one may come', async () => {
    expect(send(limitOf(), 2)).toEqual([undefined, undefined]);
    await ticked();
    // A millisecond more than the wait, since timers may fire early.
    pass(100);
    expect(log).toEqual(['pause: rate']);
    pass(1);
    expect(log).toEqual(['pause: rate', 'resume: rate']);
  });

  it('pauses reading only after the commands that were read with it', async () => {
    send(limitOf(), 2);
    expect(log).toEqual([]);
    await ticked();
    expect(log).toEqual(['pause: rate']);
  });

  it('is one that opens a topic, after the burst for all commands', () => {
    const limit = limitOf({ ...RATE, opening: 1 });
    send(limit, 2);
    expect([limit.take(subscribe('open')), limit.take(subscribe('open'))]).toEqual([undefined, expect.anything()]);
  });

  it.each([
    ['a message', message],
    ['an unreadable one', unreadable],
    ['a subscription that is refused for want of room', subscribe('full')],
  ])('does not draw on the burst for opening topics: %s', (_which, decoded) => {
    const limit = limitOf({ ...RATE, opening: 1 });
    send(limit, 2);
    expect([limit.take(decoded), limit.take(subscribe('open'))]).toEqual([expect.anything(), undefined]);
  });
});

describe('a command above the rate limit', () => {
  it('may be sent again after those before it in the same pause', () => {
    const excess = send(limitOf(), 5).map((each) => each?.retryAfterMs);
    expect(excess).toEqual([undefined, undefined, 100, 200, 300]);
  });

  it('may be sent again when it was told to: a client that does so with all its commands is served, without a violation', async () => {
    const limit = limitOf();
    let due = Array.from({ length: 50 }, () => 0);
    let violations = 0;
    let answered = 0;
    // What is read in the first two pauses was sent before the client knew.
    while (due.length > 0) {
      const [at, ...others] = due.toSorted((one, other) => one - other);
      due = others;
      if (at! > now) pass(at! - now);
      const excess = limit.take(message);
      await ticked();
      if (answered === 20) pass(101);
      answered += 1;
      if (answered > 50 && log.includes('ping: 1')) limit.noticed(1);
      if (excess) due.push(now + excess.retryAfterMs);
      if (excess?.isViolation) violations += 1;
    }
    expect(violations).toBe(0);
    expect(now).toBeLessThan(10_000);
  });

  it('has waited for a part of its time already', () => {
    const limit = limitOf();
    send(limit, 2);
    now = 30;
    expect(send(limit, 2).map((each) => each?.retryAfterMs)).toEqual([70, 170]);
  });

  it('does not begin another pause while one lasts', async () => {
    const limit = limitOf();
    send(limit, 2);
    pass(50);
    send(limit, 3);
    await ticked();
    pass(51);
    expect(log).toEqual(['pause: rate', 'ping: 1', 'resume: rate']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is measured by the rate of its gateway, and pauses reading until that lets another one pass', async () => {
    const limit = limitOf();
    const gateway = { commandsPerSecond: 50, commandBurst: 3 };
    const excess = Array.from({ length: 5 }, () => limit.take(message, gateway)?.retryAfterMs);
    await ticked();
    pass(21);
    expect([excess, log]).toEqual([
      [undefined, undefined, undefined, 20, 40],
      ['pause: rate', 'ping: 1', 'resume: rate'],
    ]);
  });

  it('pauses reading from a connection that begins with a used allowance', async () => {
    const before = limitOf();
    send(before, 2);
    await ticked();
    before.stop();
    log = [];
    expect(limitOf(RATE, before.allowance).take(message)).toMatchObject({ retryAfterMs: 100, isViolation: false });
    await ticked();
    expect(log).toEqual(['pause: rate']);
  });

  it('pauses reading again when the clock was set back during the pause', async () => {
    const limit = limitOf();
    send(limit, 2);
    await ticked();
    vi.advanceTimersByTime(101);
    expect(limit.take(message)).toMatchObject({ retryAfterMs: 100 });
    await ticked();
    expect(log).toEqual(['pause: rate', 'resume: rate', 'pause: rate']);
  });

  it.each([
    ['a subscription that has none', true, subscribe('full')],
    ['a subscription that has some', false, subscribe('open')],
    ['a message to a topic', false, messageTo('full')],
    ['an unreadable one', false, unreadable],
  ])('lacks room for its topic: %s, %s', (_which, isWithoutRoom, decoded) => {
    expect(send(limitOf(), 3, decoded).at(-1)).toMatchObject({ isWithoutRoom });
  });
});

describe('the limit for refusals', () => {
  /** Two commands are carried out at once, and three are refused. */
  const FEW = { ...RATE, refusals: { perSecond: 1, burst: 3 } };

  it('lets nothing wait while it lasts', () => {
    send(limitOf(FEW), 4);
    expect(log).toEqual([]);
  });

  it('lets what was read wait for the end of the pause once it is used up', async () => {
    const limit = limitOf(FEW);
    send(limit, 5);
    expect(log).toEqual(['pause: refusals']);
    await ticked();
    pass(101);
    expect(log).toEqual(['pause: refusals', 'pause: rate', 'ping: 1', 'resume: rate', 'resume: refusals']);
  });

  it('lets one command run and the others wait in each pause from then on', async () => {
    const limit = limitOf({ ...FEW, refusals: { perSecond: 0.01, burst: 3 } });
    send(limit, 5);
    const answers = [];
    for (let n = 0; n < 4; n++) {
      await ticked();
      // The pause after the refusals is the longest: reading begins again with two tokens.
      pass(n === 0 ? 101 : 201);
      log = [];
      answers.push(limit.take(message));
      if (n > 0) answers.push(limit.take(message));
      expect(log).toEqual(['pause: refusals']);
    }
    expect(answers).toEqual(Array(7).fill(undefined));
  });

  it('counts a refused command of many values like many', () => {
    send(limitOf({ ...RATE, refusals: { perSecond: 1, burst: 101 } }), 3, { ...message, values: 1_000 });
    expect(log).toEqual(['pause: refusals']);
  });

  it('is not for frames that are wrong at any pace, a few of which end the connection', () => {
    send(limitOf(FEW), 50, unreadable);
    expect(log).toEqual([]);
  });

  it('goes on to be used up for the next connection', () => {
    const before = limitOf(FEW);
    send(before, 5);
    before.stop();
    log = [];
    expect(send(limitOf(FEW, before.allowance), 1)).toEqual([expect.anything()]);
    expect(log).toEqual(['pause: refusals']);
  });
});

describe('a connection that begins with a used allowance', () => {
  it('has its commands wait for a token', async () => {
    const before = limitOf();
    send(before, 2);
    before.stop();
    await ticked();
    log = [];
    const limit = limitOf(RATE, before.allowance);
    limit.begin();
    await ticked();
    pass(101);
    expect(log).toEqual(['pause: refusals', 'pause: rate', 'resume: rate', 'resume: refusals']);
    expect(limit.take(message)).toBeUndefined();
  });

  it('has none wait when tokens are left', async () => {
    const before = limitOf();
    send(before, 1);
    limitOf(RATE, before.allowance).begin();
    await ticked();
    expect(log).toEqual([]);
  });
});

describe('a violation of the rate limit', () => {
  const violations = (limit: CommandLimit, count: number) => send(limit, count).map((each) => each?.isViolation);

  it('is none while the client cannot know that it is too fast', () => {
    expect(violations(limitOf(), 5)).toEqual([undefined, undefined, false, false, false]);
  });

  it('is the first command that ignores the refusals of the pause before, once for each pause', () => {
    const limit = limitOf();
    send(limit, 3);
    pass(101);
    limit.noticed(1);
    expect(violations(limit, 3)).toEqual([undefined, true, false]);
  });

  it('is none until the pong says that the client has got the refusals', async () => {
    const limit = limitOf();
    send(limit, 3);
    await ticked();
    pass(101);
    expect(log).toEqual(['pause: rate', 'ping: 1', 'resume: rate']);
    expect(violations(limit, 3)).toEqual([undefined, false, false]);
    limit.noticed(1);
    // The first one may be the command that was refused before, which is back in time.
    expect(violations(limit, 3)).toEqual([false, true, false]);
  });

  it('does not ask the client again while it goes on', async () => {
    const limit = limitOf();
    for (const ms of [101, 201, 401]) {
      send(limit, 10);
      await ticked();
      pass(ms);
    }
    expect(log.filter((entry) => entry.startsWith('ping'))).toEqual(['ping: 1']);
  });

  it('is none when the client has waited as long as the pause took', () => {
    const limit = limitOf();
    send(limit, 3);
    pass(200);
    limit.noticed(1);
    expect(violations(limit, 3)).toEqual([undefined, undefined, false]);
  });

  it('is none when the pause before had no refusals', () => {
    const limit = limitOf();
    send(limit, 2);
    pass(101);
    expect(violations(limit, 2)).toEqual([undefined, false]);
  });

  it('doubles the pause', async () => {
    const limit = limitOf();
    send(limit, 3);
    pass(101);
    send(limit, 2);
    await ticked();
    // The next token comes after 99 ms.
    pass(198);
    expect(log.at(-1)).toBe('pause: rate');
    pass(1);
    expect(log.at(-1)).toBe('resume: rate');
  });

  it.each([
    ['an unsubscribe, which is carried out', { ok: true, command: { action: 'unsubscribe', topic: 'desk' } } as const],
    ['a subscription for which there is no room, which is refused for good', subscribe('full')],
  ])('is never %s', (_what, decoded) => {
    const limit = limitOf();
    send(limit, 3);
    pass(101);
    limit.noticed(1);
    expect(send(limit, 4, decoded).map((each) => each?.isViolation)).toEqual([undefined, false, false, false]);
    // The first one may be the message that was refused before.
    expect(violations(limit, 3)).toEqual([false, true, false]);
  });

  it('is none of thousands of commands in one go', () => {
    expect(violations(limitOf(), 5_000).filter((isViolation) => isViolation === true)).toEqual([]);
  });
});

it('a limit that has stopped does not resume reading', async () => {
  const limit = limitOf();
  send(limit, 2);
  await ticked();
  limit.stop();
  pass(1_000);
  expect(log).toEqual(['pause: rate']);
});
