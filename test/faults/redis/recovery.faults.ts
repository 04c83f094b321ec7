import { describe, expect, it } from 'vitest';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import type { Trial } from '../../resuming/trial.js';
import { HistoryFleet } from './history-fleet.js';
import { without } from './history-twins.js';
import { startReplica } from './replica.js';

/** Something happens while clients come and go and others publish. */
interface Play {
  readonly fleet: HistoryFleet;
  readonly trial: Trial;
}

const HELD = { violations: {}, refused: 0 };

/** Breaks the connection of each client in turn, with so many publications between. */
async function cutEach({ trial }: Play, publications = 5): Promise<void> {
  for (const resumer of trial.resumers) {
    await trial.goesOn(publications);
    resumer.cut();
  }
}

describe('When Redis is killed', () => {
  async function forget({ fleet, trial }: Play): Promise<void> {
    await trial.goesOn(50);
    await fleet.redis.kill();
    trial.resumers[0]!.cut();
    await trial.fails(1);
    await fleet.redis.restart();
    await trial.goesOn(50);
  }

  it('and comes back empty, everybody is told that something was missed, and nothing is missed without a word', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await forget({ fleet, trial });
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.notRecovered).toBeGreaterThanOrEqual(trial.resumers.length);
    expect(verdict.unknown).toBeGreaterThan(0);
    expect(crashes).toEqual([]);
  });

  it('and comes back empty, it would be missed without a word if epochs had no names of their own', async () => {
    without.epochs();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await forget({ fleet, trial });
    expect((await trial.verdict(1_000)).violations).toHaveProperty('contradicted');
  });

  async function rollBack({ fleet, trial }: Play): Promise<void> {
    await trial.goesOn(50);
    await fleet.redis.cli('SAVE');
    await trial.goesOn(50);
    await fleet.redis.kill();
    trial.resumers[0]!.cut();
    await fleet.redis.restart();
    await trial.goesOn(50);
  }

  it('and comes back with an older state, everybody is told that something was missed', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await rollBack({ fleet, trial });
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.notRecovered).toBeGreaterThanOrEqual(trial.resumers.length);
    expect(crashes).toEqual([]);
  });

  it('and comes back with an older state, it would be missed without a word if nodes did not look at the run', async () => {
    without.runId();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await rollBack({ fleet, trial });
    expect(Object.keys((await trial.verdict(1_000)).violations)).toEqual(
      expect.arrayContaining(['lost', 'contradicted']),
    );
  });
});

describe('When everything in Redis is deleted while others publish', () => {
  async function flush({ fleet, trial }: Play): Promise<void> {
    for (let time = 0; time < 3; time++) {
      await trial.goesOn(30);
      await fleet.redis.cli('FLUSHALL');
      trial.resumers[time]!.cut();
    }
    await trial.goesOn(30);
  }

  it('everybody is told so, and gets all that comes then', async () => {
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await flush({ fleet, trial });
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject({ ...HELD, unknown: 0 });
    expect(verdict.notRecovered).toBeGreaterThanOrEqual(trial.resumers.length);
  });

  it('it would be missed without a word if epochs had no names of their own', async () => {
    without.epochs();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await flush({ fleet, trial });
    expect((await trial.verdict(1_000)).violations).toHaveProperty('contradicted');
  });
});

describe('When the answer of Redis is lost, and the same is published again', () => {
  async function loseAnswers({ fleet, trial }: Play): Promise<void> {
    for (const { proxy } of [...fleet.nodes, ...fleet.nodes, ...fleet.nodes]) {
      await trial.goesOn(20);
      await proxy.cutAfterRequest('"said"');
    }
    await trial.goesOn(20);
  }

  it('with its key, it arrives once', async () => {
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial({ isStubborn: true });
    await loseAnswers({ fleet, trial });
    expect(await trial.verdict()).toMatchObject({ ...HELD, unknown: 0, notRecovered: 0 });
    expect(trial.journal.statements.filter(({ isRepeated }) => isRepeated).length).toBeGreaterThanOrEqual(3);
  });

  it('without one, it would arrive twice', async () => {
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial({ isStubborn: true, hasKeys: false });
    await loseAnswers({ fleet, trial });
    expect(Object.keys((await trial.verdict()).violations)).toEqual(['duplicated']);
  });
});

describe('When a replica takes over', () => {
  it('nothing is missed without a word', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const replica = await startReplica(fleet.redis);
    const trial = await fleet.trial();
    await trial.goesOn(50);
    await fleet.redis.kill();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    for (const { proxy } of fleet.nodes) proxy.redirect(replica.port);
    await cutEach({ fleet, trial });
    expect(await trial.verdict()).toMatchObject(HELD);
    expect(crashes).toEqual([]);
  });

  /** The replica hears nothing any more, takes over, and one node stays with the old master for a while. */
  async function split(fleet: HistoryFleet, trial: Trial): Promise<void> {
    const replica = await startReplica(fleet.redis);
    await trial.goesOn(30);
    await replica.cli('REPLICAOF', '127.0.0.1', 1);
    await trial.goesOn(30);
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    const move = (index: number) => {
      fleet.nodes[index]!.proxy.redirect(replica.port);
      fleet.nodes[index]!.proxy.cut();
    };
    move(0);
    move(1);
    await cutEach({ fleet, trial });
    move(2);
    await cutEach({ fleet, trial });
  }

  it('that has not heard the last, while a node stays with the old master, nothing is missed without a word', async () => {
    const crashes = watchForCrashes();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await split(fleet, trial);
    const verdict = await trial.verdict();
    expect(verdict).toMatchObject(HELD);
    expect(verdict.notRecovered).toBeGreaterThan(0);
    expect(crashes).toEqual([]);
  });

  it('that has not heard the last, it would be missed without a word if nodes did not look at the run', async () => {
    without.runId();
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await split(fleet, trial);
    expect((await trial.verdict(1_000)).violations).toHaveProperty('contradicted');
  });
});

describe('When Redis cuts off a node that does not read what is published', () => {
  /** One connection is read no more until Redis has had enough of it. */
  async function overflow({ fleet, trial }: Play): Promise<void> {
    await fleet.redis.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 4mb 4mb 1');
    const { proxy } = fleet.nodes[0]!;
    await trial.goesOn(20);
    proxy.stall(['replies'], 'subscribe');
    await trial.goesOn(50);
    while (!fleet.redis.log.includes('overcoming of output buffer limits')) {
      await fleet.redis.cli('EVAL', "redis.call('PUBLISH', KEYS[1], string.rep('x', 1000000))", 1, 'realtime@0:all');
    }
    await trial.goesOn(50);
    proxy.pass();
    await trial.goesOn(20);
  }

  it('what it has missed is read from the history, and nobody notices', async () => {
    const fleet = await HistoryFleet.start();
    const trial = await fleet.trial();
    await overflow({ fleet, trial });
    expect(await trial.verdict()).toMatchObject({ ...HELD, unknown: 0, notRecovered: 0 });
  });

  it('it would be missed, or come twice, if what comes was taken for all that there is', async () => {
    without.gapCheck();
    let violations: readonly string[] = [];
    // Now and then the node is back before it has missed anything.
    for (let attempt = 0; attempt < 4 && violations.length === 0; attempt++) {
      const fleet = await HistoryFleet.start();
      const trial = await fleet.trial();
      await overflow({ fleet, trial });
      violations = Object.keys((await trial.verdict(1_000)).violations);
    }
    expect(violations).not.toEqual([]);
  });
});
