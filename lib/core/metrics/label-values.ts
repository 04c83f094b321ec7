import { CLOSE_CODES } from '../protocol/close-code.js';
import type { Command } from '../protocol/command.js';
import { ERROR_CODES } from '../protocol/error-code.js';
import type { Address } from '../routing/address.js';
import { userOfPersonalTopic } from '../topic/reserved-topic.js';

/** The label value for everything that no closed set contains. */
export const OTHER = '_other';

/** Codes that a client or a WebSocket library sends by the standard (RFC 6455, 7.4), and 1005 and 1006 for none at all. */
const STANDARD_CLOSES = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011];

const BY_CLIENT = labelled(STANDARD_CLOSES);
const BY_SERVER = labelled(Object.values(CLOSE_CODES).map(({ code }) => code));

/** Answers to upgrade requests: the upgrade, the status of every error code, and those of `ws`, of proxies and of Nest. */
const STATUSES = labelled([
  101,
  ...Object.values(ERROR_CODES).map(({ httpStatus }) => httpStatus),
  405,
  409,
  410,
  422,
  426,
  431,
  501,
  502,
  504,
]);

const ACTIONS = {
  subscribe: true,
  unsubscribe: true,
  message: true,
  history: true,
  presence: true,
  auth: true,
  cancel: true,
  ping: true,
  pong: true,
} as const satisfies Record<Command['action'], true>;

/**
 * The value of `close_code`. Codes from 3000 on have a meaning only when this server chose them: a client may close with any.
 * @param isChosenHere true if this server closed the connection with a code of its table
 */
export function closeCodeLabel(code: number, isChosenHere: boolean): string {
  return (isChosenHere ? BY_SERVER : BY_CLIENT).get(code) ?? OTHER;
}

/** The value of `status`. */
export function statusLabel(status: number): string {
  return STATUSES.get(status) ?? OTHER;
}

/** The value of `action`; missing if an error belongs to no action. */
export function actionLabel(action: string | undefined): string {
  return action !== undefined && Object.hasOwn(ACTIONS, action) ? action : OTHER;
}

/**
 * The value of `address`: the kind of the address, or `several`. A personal topic is a way to reach a user, so it counts as
 * `user`.
 */
export function addressLabel(to: readonly Address[]): string {
  if (to.length !== 1) return 'several';
  const address = to[0]!;
  return address.kind === 'topic' && userOfPersonalTopic(address.id) !== undefined ? 'user' : address.kind;
}

function labelled(values: readonly number[]): ReadonlyMap<number, string> {
  return new Map(values.map((value) => [value, String(value)]));
}
