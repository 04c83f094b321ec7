import { RecentKinds } from '../core/base/recent-kinds.js';
import type { CloseEvent, RefusalEvent } from '../core/bus/node-snapshot.js';
import type { Refusal } from '../core/protocol/upgrade-refusal.js';

/** Most kinds of closes, and of refusals, that are kept apart. */
const MAX_KINDS = 32;

/** Most entries of one kind. */
const MAX_EACH = 5;

/** Longest text of an entry, in characters: clients choose reasons and user ids. */
const MAX_TEXT = 200;

/** The client of an entry. */
export interface JournalClient {
  readonly userId?: string | undefined;
  readonly address?: string | undefined;
}

/** Keeps the latest closes and refusals of this node for the inspector. Nothing in it comes from a token but the user's id. */
export class NodeJournal {
  readonly closes = new RecentKinds<CloseEvent>(MAX_KINDS, MAX_EACH);
  readonly refusals = new RecentKinds<RefusalEvent>(MAX_KINDS, MAX_EACH);

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Records a closed WebSocket.
   * @param kind the code, or `_other`
   */
  closed(kind: string, code: number, reason: string, byServer: boolean, client: JournalClient): void {
    this.closes.add(kind, { at: this.now(), code, reason: short(reason), byServer, ...shown(client) });
  }

  /** Records a refused upgrade request. */
  refused({ status, code, message, reason = message }: Refusal, client: JournalClient): void {
    const kind = code === undefined ? `${status}` : `${status} ${code}`;
    this.refusals.add(kind, { at: this.now(), status, reason: short(reason), ...shown(client) });
  }
}

function shown({ userId, address }: JournalClient) {
  return { ...(userId !== undefined && { userId: short(userId) }), ...(address && { address }) };
}

function short(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
