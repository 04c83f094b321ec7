import { createConnection, type RealtimeConnection } from '../../lib/core/connection/connection.js';
import type { ReadingPause } from '../../lib/core/connection/reading-pause.js';
import { ClientAllowance } from '../../lib/core/protocol/client-allowance.js';
import type { CommandId } from '../../lib/core/protocol/command.js';
import type { WireError } from '../../lib/core/protocol/error-code.js';
import type { Push } from '../../lib/core/protocol/push.js';
import { JsonCodec } from '../../lib/codecs/json/json-codec.js';
import type { Codec } from '../../lib/ports/codec.js';
import { ConnectionSocket } from '../../lib/ports/connection-socket.js';
import type { Frame } from '../../lib/ports/frame.js';
import { ClientReplies } from '../../lib/gateway/session/client-replies.js';
import type { Client } from '../../lib/gateway/session/client.js';
import type { Endpoint, HoldableSocket } from '../../lib/gateway/session/endpoint.js';
import { NodeMeter } from '../../lib/delivery/node-meter.js';
import { RealtimeTracing } from '../../lib/ports/realtime-tracing.js';

/** A codec whose frames are the pushes and messages themselves. */
export class FakeCodec extends JsonCodec {
  constructor(readonly hasPersonalTopics = false) {
    super({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });
  }

  override encodePush(push: Push): string {
    return JSON.stringify(push);
  }

  override encodeMessage(text: string): string {
    return text;
  }
}

/** A socket that keeps what is sent. */
class FakeSocket extends ConnectionSocket implements HoldableSocket {
  constructor(
    readonly codec: Codec,
    private readonly told: unknown[],
  ) {
    super();
  }

  send(frame: Frame): void {
    this.told.push(JSON.parse(frame.payload as string));
  }

  close(): void {}

  drained(): undefined {}

  hold(): void {
    this.told.push('hold');
  }

  release(first: () => void): void {
    first();
    this.told.push('release');
  }
}

const UNLIMITED = { perSecond: Infinity, burst: Infinity };

/** The end of a socket, and the client behind it: they keep what happens to them. */
export class FakeClient implements Client, Endpoint {
  /** Everything that the client was told, in order. */
  readonly told: Record<string, any>[] = [];
  /** Other events, in order. */
  readonly log: string[] = [];
  /** How it was closed: the name of the code, and the reason. */
  closedWith: readonly unknown[] | undefined;
  connection: RealtimeConnection = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(0) });
  readonly socket: HoldableSocket;
  readonly replies: ClientReplies;
  readonly allowance = new ClientAllowance(
    { ...UNLIMITED, opening: 0, total: UNLIMITED, answers: UNLIMITED, pings: UNLIMITED, refusals: UNLIMITED },
    0,
  );
  onServing: () => void = () => undefined;

  constructor(codec: Codec = new FakeCodec()) {
    this.socket = new FakeSocket(codec, this.told);
    const clock = { now: () => 0 };
    const mistakeRate = { perSecond: 1, burst: 10 };
    const [meter, tracing] = [new NodeMeter(), new RealtimeTracing()];
    const services = { clock, timestamps: { now: () => '' } as never, mistakeRate, meter, tracing };
    this.replies = new ClientReplies(this.socket, services, this);
  }

  get isClosed(): boolean {
    return this.closedWith !== undefined;
  }

  /** The errors that the client was told, by their codes. */
  get errors(): (readonly [string, CommandId | undefined])[] {
    return this.told.flatMap(({ kind, error, id }) =>
      kind === 'error' ? [[(error as WireError).code, id] as const] : [],
    );
  }

  pauseReading(reason: ReadingPause): void {
    this.log.push(`pause: ${reason}`);
  }

  resumeReading(reason: ReadingPause): void {
    this.log.push(`resume: ${reason}`);
  }

  drained(): Promise<void> | undefined {
    return undefined;
  }

  waitingChanged(): void {}

  startServing(): void {
    this.log.push('serving');
    this.onServing();
  }

  disconnect(...how: readonly unknown[]): void {
    this.closedWith ??= how;
  }
}
