import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge } from 'centrifuge';
import { sdkFor } from '../helpers/sdk.js';
import type { Saying } from './host.js';
import type { Journal, Note, Position } from './journal.js';
import type { Subscriber } from './subscriber.js';

/** An SDK that is subscribed to a topic. It comes back and recovers by itself; here it is only written down what it tells the application. */
export class SdkSubscriber implements Subscriber {
  readonly #diary: Note[];
  readonly #client: Centrifuge;
  #at: Position | undefined;
  #isIn = false;

  /**
   * @param port where it connects to, every time
   * @param finished told how to end it; default: it ends with the test
   */
  constructor(
    readonly name: string,
    topic: string,
    journal: Journal,
    port: number,
    finished?: (end: () => void) => void,
  ) {
    this.#diary = journal.diaryOf(name);
    this.#client = sdkFor({ url: `http://127.0.0.1:${port}` }, { token: testToken(name) }, finished);
    const subscription = this.#client.newSubscription(topic);
    subscription.on('subscribing', () => this.#leave());
    subscription.on('unsubscribed', () => this.#leave());
    subscription.on('subscribed', ({ streamPosition, wasRecovering, recovered }) => {
      this.#isIn = true;
      // A topic without a history has no places.
      if (streamPosition) this.#enter(streamPosition, wasRecovering ? recovered : undefined);
    });
    subscription.on('publication', ({ data, offset = 0 }) => {
      this.#diary.push({ kind: 'got', key: (data.payload as Saying).key, offset });
      if (this.#at) this.#at = { epoch: this.#at.epoch, offset };
    });
    subscription.subscribe();
    this.#client.connect();
  }

  get at(): Position | undefined {
    return this.#at;
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
  }

  #enter({ epoch, offset }: Position, recovered: boolean | undefined): void {
    const asked = this.#at;
    this.#at = { epoch, offset };
    this.#diary.push({
      kind: 'told',
      ...(asked && { asked }),
      at: this.#at,
      ...(recovered !== undefined && { recovered }),
    });
  }

  #leave(): void {
    this.#isIn = false;
    this.#diary.push({ kind: 'gone' });
  }
}
