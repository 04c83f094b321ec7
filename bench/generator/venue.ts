import { setTimeout as pause } from 'node:timers/promises';
import { nameOf, topicName, type Deed, type Phase } from '../workload.js';
import type { Client } from './client.js';
import { userOf, type Crowd } from './crowd.js';
import type { Job, PhaseResult } from './job.js';
import { News } from './news.js';
import { middleRound } from './rounds.js';
import { measureCrush, measureSpan, settled, type Instruments } from './span.js';

/** How long an answer, or what a server knows of its users, may be overdue, in milliseconds. */
const PATIENCE_MS = 30_000;

/** How often a server is asked how many users there are, in milliseconds: seldom enough to cost nothing. */
const LOOK_MS = 20;

/** So many are away at a time when members come and go. */
const AWAY = 10;

const TOPIC = topicName(0);

/**
 * The first topic of a workload, and who is in it. Of the clients the first are told who comes and goes, and all others
 * are members when it is their turn. Everybody is a user of its own. What is counted are the answers, and the news that each watcher gets.
 */
export class Venue {
  readonly #watchers: number;
  readonly #texts: Readonly<Record<'enter' | 'leave' | 'watch', string>>;
  readonly #answered = new Map<Client, () => void>();
  #members = 0;
  #isOpen = false;

  constructor(
    { workload, dialect }: Job,
    private readonly crowd: Crowd,
    private readonly instruments: Instruments,
  ) {
    this.#watchers = workload.watchers ?? 0;
    const { watch = '', leave = '' } = dialect.features ?? {};
    const [enter, goes, asks] = [dialect.subscribe, leave, watch].map((text) => text.replace('{topic}', TOPIC));
    this.#texts = { enter: enter!, leave: goes!, watch: asks! };
  }

  /** So many come at once. */
  async storm(members: number): Promise<PhaseResult> {
    await this.#open();
    const deed: Deed = { kind: 'storm', members };
    const result = await middleRound(1, async () => {
      const emptied = this.#members > 0 ? await this.#fill(0, deed) : undefined;
      return emptied?.lost ? emptied : this.#fill(members, deed);
    });
    if (result.lost !== 0) return result;
    const full = await this.crowd.rested();
    const emptied = await this.#fill(0, deed);
    const empty = await this.crowd.rested();
    const filled = await this.#fill(members, deed);
    const each = (of: 'heapBytes' | 'rssBytes') => (full[of] - empty[of]) / members;
    return {
      ...result,
      lost: emptied.lost + filled.lost,
      bytesEach: { heap: each('heapBytes'), rss: each('rssBytes') },
    };
  }

  /** All leave at once but so many. */
  thin(members: number): Promise<PhaseResult> {
    return this.#fill(members, { kind: 'thin', members });
  }

  /** Members leave and come back, in turn: a client that did so again and again would have one hash bucket grow, as none does elsewhere. */
  async alternate(phase: Extract<Phase, { readonly kind: 'alternate' }>): Promise<PhaseResult> {
    if (phase.members !== this.#members) throw new Error(`There are ${this.#members} members, not ${phase.members}.`);
    return middleRound(1, (round) => this.#turns(round === 0 ? phase.warmUpMs : phase.durationMs, phase));
  }

  /** Adds watchers one after the other; each receives every later change. */
  async #open(): Promise<void> {
    if (this.#isOpen) return;
    const { tally } = this.instruments;
    const papers: News[] = [];
    for (const [number, client] of this.crowd.clients.entries()) {
      const paper = number < this.#watchers ? new News() : undefined;
      client.listen((text) => {
        refuse(text);
        if (paper?.take(text)) {
          if (this.#isOpen) tally.count(text);
        } else if (!paper && isAnswer(text)) {
          tally.count(text);
          this.#answered.get(client)?.();
        }
      });
      if (!paper) continue;
      papers.push(paper);
      client.say(this.#texts.watch);
      await this.#within('A watcher was not told of another', () => papers.every((each) => each.has(userOf(number))));
    }
    this.#isOpen = true;
  }

  /** Members come, or leave, until there are so many. */
  async #fill(members: number, deed: Deed): Promise<PhaseResult> {
    const { tally, turns } = this.instruments;
    const moving = this.#moving(Math.min(members, this.#members), Math.max(members, this.#members));
    const text = members > this.#members ? this.#texts.enter : this.#texts.leave;
    this.#members = members;
    return measureCrush(nameOf(deed), this.instruments, 1, async () => {
      const due = moving.length * (1 + this.#watchers);
      const before = tally.messages;
      for (const client of moving) client.say(text);
      await settled(() => tally.messages - before, due, turns);
      await this.#known();
      return { asked: moving.length, deliveriesEach: 1 + this.#watchers };
    });
  }

  async #turns(durationMs: number, deed: Deed): Promise<PhaseResult> {
    const members = this.#moving(0, this.#members);
    return measureSpan(nameOf(deed), this.instruments, 1, async () => {
      const end = performance.now() + durationMs;
      let changes = 0;
      let away = 0;
      const lanes = Math.min(AWAY, members.length);
      const change = (client: Client, text: string, then: () => void) => {
        changes += 1;
        this.#answered.set(client, then);
        client.say(text);
      };
      // Each lane has its own members, so that no member has two turns at once.
      const leave = (at: number) => {
        const client = members[at]!;
        away += 1;
        change(client, this.#texts.leave, () =>
          change(client, this.#texts.enter, () => {
            this.#answered.delete(client);
            away -= 1;
            if (performance.now() < end) leave(at + lanes < members.length ? at + lanes : at % lanes);
          }),
        );
      };
      for (let lane = 0; lane < lanes; lane++) leave(lane);
      await this.#within('Nobody has answered', (now) => now >= end && away === 0, durationMs);
      await this.#known();
      return { asked: changes, deliveriesEach: 1 + this.#watchers };
    });
  }

  /** The members that make the difference between the low and the high count. */
  #moving(fewer: number, more: number): readonly Client[] {
    return this.crowd.clients.slice(this.#watchers + fewer, this.#watchers + more);
  }

  /** Waits until the server knows who is there, where it is to know. */
  async #known(): Promise<void> {
    const due = this.#members + this.#watchers;
    for (const deadline = performance.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
      const users = await this.instruments.lines[0]!.users(TOPIC);
      if (users === due || users < 0) return;
      if (performance.now() > deadline) throw new Error(`The server counts ${users} users, not ${due}.`);
    }
  }

  #within(complaint: string, isSo: (now: number) => boolean, moreMs = 0): Promise<void> {
    const deadline = performance.now() + moreMs + PATIENCE_MS;
    return this.instruments.turns.until((now) => {
      if (now > deadline) throw new Error(`${complaint}.`);
      return isSo(now);
    });
  }
}

function isAnswer(text: string): boolean {
  return text.includes('"realtime:subscribed"') || text.includes('"realtime:unsubscribed"');
}

function refuse(text: string): void {
  if (text.includes('"realtime:error"')) throw new Error(`The server would not do what it was asked for: ${text}`);
}
