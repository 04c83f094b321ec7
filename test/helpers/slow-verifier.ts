import { setTimeout as delay } from 'node:timers/promises';
import { JwtVerifier, type JwtClaims } from 'nestjs-realtime';
import { TestJwtVerifier } from 'nestjs-realtime/testing';

/** Takes test tokens, but not at once. */
export class SlowVerifier extends JwtVerifier {
  readonly #verifier = new TestJwtVerifier();

  constructor(private readonly delayMs: number) {
    super();
  }

  async verify(token: string): Promise<JwtClaims> {
    await delay(this.delayMs);
    return this.#verifier.verify(token);
  }
}

/** Takes test tokens, but only once the test lets it go on. */
export class HeldVerifier extends JwtVerifier {
  readonly #verifier = new TestJwtVerifier();
  #release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));
  #begin: () => void = () => undefined;
  /** Resolves when the first token has been handed over. */
  readonly begun = new Promise<void>((resolve) => (this.#begin = resolve));

  async verify(token: string): Promise<JwtClaims> {
    this.#begin();
    await this.#released;
    return this.#verifier.verify(token);
  }

  release(): void {
    this.#release();
  }
}

/** Takes test tokens and counts them; while it is held it keeps them, and then lets all of them go at the same moment. */
export class GatedVerifier extends JwtVerifier {
  readonly #verifier = new TestJwtVerifier();
  #gate = Promise.resolve();
  #open: () => void = () => undefined;
  #onAsked: () => void = () => undefined;
  /** How many tokens it was asked about. */
  asked = 0;

  async verify(token: string): Promise<JwtClaims> {
    this.asked += 1;
    this.#onAsked();
    await this.#gate;
    return this.#verifier.verify(token);
  }

  hold(): void {
    this.asked = 0;
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  release(): void {
    this.#open();
  }

  /** Resolves when it has been asked about so many tokens since it was held. */
  async isAskedAbout(count: number): Promise<void> {
    while (this.asked < count) await new Promise<void>((resolve) => (this.#onAsked = resolve));
  }
}
