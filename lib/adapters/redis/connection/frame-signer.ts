import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { BusFrame, UnknownFrame } from '../../../core/bus/bus-frame.js';
import { isUnsignedByNature, splitSignature, textToSign, withSignature } from '../../../core/bus/frame-signature.js';

/**
 * The secrets with which nodes sign what they send to each other over Redis. A secret is a text of at least 32 characters.
 * @publicApi
 */
export interface RedisBackendSecret {
  /** Signs the frames of this node, and is accepted. */
  readonly sign: string;
  /** Further secrets that are accepted: the next one or the last one during a rotation. Default none. */
  readonly accept?: readonly string[];
  /** Accepts frames without a signature, while nodes without a secret are still running. Default false. */
  readonly acceptUnsigned?: boolean;
}

/** The result of a check. */
export type SignatureVerdict = 'good' | 'missing' | 'wrong';

/** Signs and checks frames: HMAC-SHA256 over the channel and the frame. Frames of presence are composed in Redis, and have no signature. */
export class FrameSigner {
  readonly #key: KeyObject;
  readonly #accepted: readonly KeyObject[];

  constructor(private readonly secret: RedisBackendSecret) {
    this.#key = keyOf(secret.sign);
    this.#accepted = [this.#key, ...(secret.accept ?? []).map(keyOf)];
  }

  /**
   * Signs a frame.
   * @param text a frame without a signature and a position
   * @param isPublication true if Redis adds a position
   */
  sign(channel: string, text: string, isPublication = false): string {
    return withSignature(text, signature(this.#key, textToSign(channel, text, isPublication)!).toString('base64url'));
  }

  /**
   * Checks a frame that has arrived on a channel.
   * @param text the frame as it has arrived
   * @param frame the same, decoded
   */
  check(channel: string, text: string, frame: BusFrame | UnknownFrame): SignatureVerdict {
    const { text: unsigned, signature: given } = splitSignature(text);
    if (given === undefined) return this.#needsNone(frame, channel) ? 'good' : 'missing';
    const content = frame.kind === 'envelope' ? frame.envelope.content : undefined;
    const position = content?.kind === 'message' ? content.position : undefined;
    const signed = textToSign(channel, unsigned, position !== undefined, position);
    const bytes = Buffer.from(given, 'base64url');
    if (signed === undefined || bytes.length !== SIGNATURE_BYTES) return 'wrong';
    return this.#accepted.some((key) => timingSafeEqual(signature(key, signed), bytes)) ? 'good' : 'wrong';
  }

  #needsNone(frame: BusFrame | UnknownFrame, channel: string): boolean {
    return this.secret.acceptUnsigned === true || isUnsignedByNature(frame, channel);
  }
}

const SIGNATURE_BYTES = 32;

function keyOf(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

function signature(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
