import type { Command } from '../core/command.js';
import type { Push } from '../core/push.js';
import type { WireError } from '../core/error-code.js';
import type { CommandId } from '../core/command.js';

/** A frame read from a client: a command, or what is wrong with it and whom to tell. */
export type Decoded =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly id?: CommandId; readonly error: WireError };

/**
 * A wire protocol: frames to commands, and pushes to frames. Deterministic, without state of its own: one instance
 * serves all connections that speak it.
 */
export interface Codec {
  /** Reads the text of one frame. Hostile input is a result, never an exception. */
  decode(text: string): Decoded;
  /** The frame for one client about its connection. Throws when a reply's payload cannot be serialised. */
  encodePush(push: Push, timestamp: string): string;
  /**
   * The frame that carries a message to any number of clients.
   * @param text the message as JSON, as `stringifyMessage` in `core` writes it
   * @param topic the topic it was published to, when it was published to one
   * @param offset its place in the topic's history, when that keeps one
   */
  encodeMessage(text: string, topic: string | undefined, offset?: number): string;
}
