import { TokenBucket } from '../../core/base/token-bucket.js';
import { Liveness } from '../../core/connection/liveness.js';
import { defersFrames, withoutPause, withPause, type ReadingPause } from '../../core/connection/reading-pause.js';
import { closeCodeLabel } from '../../core/metrics/label-values.js';
import type { ClientAllowance } from '../../core/protocol/client-allowance.js';
import { CLOSE_CODES, type CloseCodeName } from '../../core/protocol/close-code.js';
import type { AuthCommand, Command } from '../../core/protocol/command.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import { isCompact, OVERTAKING_LENGTH, overtakes } from '../../core/protocol/overtaking.js';
import { judgeFrame, type FrameClose, type FramePhase, type FrameRefusal } from '../../core/protocol/frame-verdict.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { Codec } from '../../ports/codec.js';
import type { FramePayload } from '../../ports/frame.js';
import type { ServedWebSocket } from '../socket/served-web-socket.js';
import { WsConnectionSocket, type WriteShare } from '../socket/ws-connection-socket.js';
import { ClientReplies } from './client-replies.js';
import { asReason } from './close-reason.js';
import { CommandLimit, type LimitedConnection } from './command-limit.js';
import { endFailed, endIfFails } from './connection-failure.js';
import { begun, DeferredFrames, type BegunFrame } from './deferred-frames.js';
import type { Drainable } from './drain.js';
import type { Endpoint } from './endpoint.js';
import type { HeartbeatTick, Ticking } from './heartbeat.js';
import type { WaitsForTurn } from '../turn-queue.js';
import type { Waiting } from './mailbox-budget.js';
import type { SessionServices } from './session-services.js';
import { Session } from './session.js';
import { UnauthenticatedPeer, type PendingAuthentication } from './unauthenticated-peer.js';

/**
 * The size up to which a frame that waits for its turn is not counted against the node's budget, in bytes of heap. It is small beside
 * the connection itself, while counting it in and out took 3 % of the CPU of a crowd that subscribes at once.
 */
const UNCOUNTED_BYTES = 1_024;

/**
 * The size above which frames that wait because the client exceeds its limits end the connection, in bytes of heap. What is read
 * from a socket at once takes less unless it was compressed.
 */
const MAX_HELD_BYTES = 4 * 1_024 * 1_024;

/** The identity with which an upgrade request was admitted, or the state of one whose first command has yet to authenticate. */
export type Admitted = Authenticated | PendingAuthentication;

/**
 * The server's end of one WebSocket, from the upgrade to the last hook. It reads frames, hands commands first to the
 * {@link UnauthenticatedPeer} and then to the {@link Session}, keeps the heartbeat, and ends the connection.
 */
export class SocketEndpoint implements Endpoint, Ticking, Drainable, Waiting, WaitsForTurn, LimitedConnection {
  readonly socket: WsConnectionSocket;
  readonly replies: ClientReplies;
  readonly #liveness = new Liveness();
  /** Made when the connection is served: until then a single command is carried out. */
  #limit: CommandLimit | undefined;
  #phase: FramePhase = 'unauthenticated';
  #peer: UnauthenticatedPeer | undefined;
  #session: Session | undefined;
  #deferred: DeferredFrames | undefined;
  /** True from the first frame that waits for a later turn until that turn. Only a second one pauses the socket, which costs system calls. */
  #waitsForTurn = false;
  /** The rate limit for ping frames until the connection is served; made with the first. */
  #pings: TokenBucket | undefined;
  /** The reasons for not reading, as a set of `READING_PAUSES`. */
  #pauses = 0;
  /** Called once no frame waits to be decoded; set during a drain. */
  #onRead: (() => void) | undefined;
  /** Pings that the client has not answered. */
  #pongsDue = 0;
  /** The pong of a notice that came behind frames that still wait. */
  #lateNotice: number | undefined;
  #isGone = false;
  #onGone: (() => void)[] | undefined;

  constructor(
    private readonly ws: ServedWebSocket,
    codec: Codec,
    private readonly share: WriteShare,
    private readonly services: SessionServices,
    readonly address?: string,
    readonly trace?: string,
  ) {
    this.socket = new WsConnectionSocket(ws, codec, share, this);
    this.replies = new ClientReplies(this.socket, services, this);
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  get isAuthenticated(): boolean {
    return this.#session !== undefined;
  }

  get allowance(): ClientAllowance {
    if (this.#limit === undefined) throw new Error('A connection has an allowance once it is served');
    return this.#limit.allowance;
  }

  get gone(): Promise<void> {
    return new Promise((resolve) => (this.#isGone ? resolve() : (this.#onGone ??= []).push(resolve)));
  }

  /** Begins to serve the connection, or to wait for its first command. */
  open(admitted: Admitted): void {
    if ('judged' in admitted) this.#peer = new UnauthenticatedPeer(admitted, this, this.services.authentication);
    else endIfFails(this, this.serve(admitted));
  }

  serve(authenticated: Authenticated, command?: AuthCommand): void | Promise<void> {
    this.#phase = 'starting';
    this.#peer = undefined;
    const { clock, allowances, authentication, topicLimits, settings } = this.services;
    const { largestMessage } = topicLimits;
    if (largestMessage > settings.limits.maxMessageBytes) this.ws.limitMessages(largestMessage);
    const { userId } = authenticated.identity;
    const allowance = allowances.take(userId, authentication.connectionsOf(userId), clock.now());
    this.#limit = new CommandLimit(allowance, clock, this);
    this.#limit.begin();
    this.share.meter.connections += 1;
    this.#session = new Session(this, authenticated, this.services);
    return this.#session.start(command);
  }

  suspend(): void {
    this.#phase = 'starting';
    this.pauseReading('start');
  }

  startServing(): void {
    if (this.isClosed) return;
    this.#phase = 'serving';
    this.resumeReading('start');
  }

  /** Takes one WebSocket message. */
  receive(data: Buffer, isBinary: boolean): void {
    if (this.isClosed) return;
    this.heard();
    const payload = isBinary !== this.#isBinary ? undefined : isBinary ? data : data.toString();
    let compact: Decoded | undefined;
    if (!this.#deferred && !this.#isHolding) {
      const { turns } = this.services;
      if (!turns.isOver()) return this.#read(payload);
      const startedAt = turns.now();
      const decoded = turns.hasUrgentTime ? this.#decodeEarly(payload) : undefined;
      const isUrgent = decoded !== undefined && overtakes(decoded);
      if (isUrgent && turns.overtakes()) return this.#overtake(decoded, payload, startedAt);
      if (decoded && isCompact(decoded)) compact = decoded;
      // Only what a crowd sends all at once is decoded without a bound: it is not decoded again.
      if (compact?.ok !== true) turns.countUrgent(startedAt);
      this.#waitsForTurn = true;
      turns.add(this, isUrgent);
    } else if (this.#waitsForTurn) this.pauseReading('turn');
    else if (this.#isAboveLimits && this.#deferred && this.#deferred.bytes > MAX_HELD_BYTES) return this.giveUp();
    (this.#deferred ??= new DeferredFrames()).push(payload, compact);
    if (this.#pauses !== 0 || this.#deferred.bytes > UNCOUNTED_BYTES) this.waitingChanged();
  }

  /** Decodes a frame that would have to wait, if it is small and has one command. */
  #decodeEarly(payload: FramePayload | undefined): Decoded | undefined {
    if (this.#phase !== 'serving' || payload === undefined || payload.length > OVERTAKING_LENGTH) return undefined;
    const decoded = this.socket.codec.decode(payload);
    return 'batch' in decoded ? undefined : decoded;
  }

  /** Takes a command at once in a busy turn. An answer that is given without waiting leaves at once: the turn may go on for long. */
  #overtake(decoded: Decoded, payload: FramePayload | undefined, startedAt: number): void {
    const { turns } = this.services;
    this.#take(decoded, payload);
    const takenAt = turns.countUrgent(startedAt);
    const flush = (): void => {
      turns.countUrgent(takenAt);
      this.#flush();
    };
    queueMicrotask(() => process.nextTick(flush));
  }

  #flush(): void {
    try {
      this.socket.flush();
    } catch (error) {
      endFailed(this, error);
    }
  }

  /** Reads the frames that have waited for their turn. */
  takeTurn(): void {
    this.#waitsForTurn = false;
    this.#pauses = withoutPause(this.#pauses, 'turn');
    this.#readDeferred();
  }

  /** Records a sign of life. */
  heard(): void {
    this.#liveness.heard();
  }

  /** Takes a ping frame, which `ws` answers. */
  pinged(): void {
    if (this.isClosed) return;
    this.heard();
    this.#countPing();
  }

  sendNotice(number: number): void {
    // The ping is written at once.
    this.#flush();
    if (!this.isClosed) this.#sendPing(String(number));
  }

  /** Takes a pong frame. One that answers no ping counts like a ping: RFC 6455 permits it as a sign of life. */
  ponged(data: Buffer): void {
    if (this.isClosed) return;
    this.heard();
    if (this.#pongsDue === 0) return this.#countPing();
    this.#pongsDue -= 1;
    // The pings of the heartbeat are empty.
    if (data.length === 0) return;
    if (this.#deferred) this.#lateNotice = Number(data.toString());
    else this.#limit?.noticed(Number(data.toString()));
  }

  /** Counts a ping of the client. More than the rate limit for commands allows end the connection. */
  #countPing(): void {
    const { clock, pingRate } = this.services;
    const now = clock.now();
    const waitMs = this.#limit?.allowance.ping(now) ?? (this.#pings ??= new TokenBucket(pingRate, now)).take(now);
    if (waitMs > 0) this.disconnect('TOO_MANY_REQUESTS');
  }

  #sendPing(data?: string): void {
    this.#pongsDue += 1;
    this.ws.ping(data);
  }

  pauseReading(reason: ReadingPause): void {
    this.#pauses = withPause(this.#pauses, reason);
    if (!this.isClosed) this.ws.pause();
  }

  resumeReading(reason: ReadingPause): void {
    this.#pauses = withoutPause(this.#pauses, reason);
    if (this.#deferred) {
      // In a turn of its own: this may be called in the middle of a command.
      if (!this.#isHolding) process.nextTick(() => this.#readDeferred());
    } else if (this.#pauses === 0 && this.ws.isPaused) this.ws.resume();
  }

  /** The estimated bytes of heap of the commands and frames that were read and not handled yet. */
  get waitingBytes(): number {
    if (this.isClosed) return 0;
    return (this.#deferred?.bytes ?? 0) + (this.#session?.waitingBytes ?? 0);
  }

  get hasWaitingCommands(): boolean {
    return (this.#session?.waitingBytes ?? 0) > 0;
  }

  waitingChanged(): void {
    if (!this.isClosed) this.services.mailboxes.update(this);
  }

  /** Ends the connection: it holds too much, or all together do and this one holds the most. */
  giveUp(): void {
    this.disconnect('TOO_MANY_REQUESTS', 'too much of it waits to be handled');
  }

  hasRoomFor(topic: string): boolean {
    return this.#session?.hasRoomFor(topic) ?? true;
  }

  disconnect(name: CloseCodeName, reason: string = CLOSE_CODES[name].reason): void {
    if (this.isClosed) return;
    // Anything that was sent before goes before the close. It may be the close as well.
    if (name !== 'SLOW') this.#session?.catchUp();
    if (SETTLES.includes(name)) this.#session?.settle();
    if (this.isClosed) return;
    this.#end(CLOSE_CODES[name].code, reason, true);
    this.socket.close(name, reason);
  }

  /** Ends the connection of a slow consumer. */
  tooSlow(): void {
    if (!this.isClosed) this.services.meter.slowCloses += 1;
    this.disconnect('SLOW');
  }

  retire(): void {
    if (this.#deferred) this.takeTurn();
    this.pauseReading('shutdown');
    endIfFails(
      this,
      this.#answered().then(() => this.disconnect('SHUTDOWN')),
    );
  }

  /**
   * Fulfils when the frames that were read are answered. A connection that is not served yet is not waited for, nor are frames that
   * wait because there were too many.
   */
  async #answered(): Promise<void> {
    await this.#session?.finish();
    while (this.#deferred && this.#phase === 'serving' && !this.#isAboveLimits) {
      await new Promise<void>((resolve) => (this.#onRead = resolve));
      await this.#session?.finish();
    }
  }

  terminate(): void {
    this.#end(CLOSE_CODES.DISCONNECTED.code, CLOSE_CODES.DISCONNECTED.reason, true);
    this.socket.terminate();
  }

  /** Handles the closed socket, whichever side closed it. Fulfils when the application's hooks have run. */
  async closed(code: number, reason: string): Promise<void> {
    this.socket.closed();
    this.#end(code, reason);
    // A handler that outlives the connection may have a hook run after the others.
    for (let hooks = this.#session?.hooksSettled; hooks;) {
      await hooks;
      const later = this.#session?.hooksSettled;
      hooks = later === hooks ? undefined : later;
    }
    this.#isGone = true;
    this.#onGone?.forEach((resolve) => resolve());
  }

  tick(tick: HeartbeatTick): void {
    if (this.isClosed) return;
    if (this.socket.isStalled(tick.stallTicks)) return this.socket.giveUp();
    const isLate = this.#phase === 'unauthenticated' && (this.#peer?.isLate(tick.authTicks) ?? false);
    if (isLate) return this.disconnect('STALE');
    this.#session?.expire(tick.now);
    if (this.isClosed) return;
    // A peer that is not read cannot answer. Pauses for rate limits end by themselves, and the socket is read in between.
    if (this.#pauses !== 0) this.heard();
    const isRead = withoutPause(withoutPause(this.#pauses, 'rate'), 'refusals') === 0;
    switch (this.#liveness.tick(tick, Math.random(), isRead)) {
      case 'dead':
        return this.disconnect('NO_PONG');
      case 'stuck':
        return this.disconnect('SERVER_ERROR', 'a handler blocks the commands behind it');
      case 'ping':
        return this.#ping(tick);
      case 'none':
        return;
    }
  }

  #ping({ pings }: HeartbeatTick): void {
    const { codec } = this.socket;
    if (this.#session && codec.answersPings) this.#liveness.awaitAnswer();
    else this.#sendPing();
    const frame = pings.get(codec);
    if (this.#session && frame) this.socket.send(frame);
  }

  get #isBinary(): boolean {
    return this.socket.codec.isBinary === true;
  }

  /** True while frames wait for the end of a pause, or for the welcome, before they are decoded. */
  get #isHolding(): boolean {
    if (this.#pauses === 0) return this.#phase === 'starting';
    const isLarge = (this.#session?.waitingBytes ?? 0) >= this.services.settings.limits.mailboxBytes;
    return this.#phase === 'starting' || defersFrames(this.#pauses, isLarge);
  }

  /** True while frames wait because the client exceeds its rate limit and the limit for refusals. */
  get #isAboveLimits(): boolean {
    return withoutPause(this.#pauses, 'refusals') !== this.#pauses;
  }

  #readDeferred(): void {
    try {
      while (this.#deferred && !this.#isHolding) {
        const frame = this.#deferred.shift();
        if (frame === undefined) this.#deferred = undefined;
        else if (frame.commands) this.#readRest(frame);
        else if (frame.decoded) this.#take(frame.decoded, frame.payload);
        else this.#read(frame.payload);
      }
    } catch (error) {
      endFailed(this, error);
    }
    this.waitingChanged();
    if (this.#deferred === undefined || this.#isAboveLimits) this.#onRead?.();
    if (this.#deferred) return;
    if (this.#lateNotice !== undefined) this.#limit?.noticed(this.#lateNotice);
    this.#lateNotice = undefined;
    if (this.#pauses === 0 && this.ws.isPaused) this.ws.resume();
  }

  /** Decodes a frame and takes its commands. */
  #read(payload: FramePayload | undefined): void {
    const decoded = payload === undefined ? wrongKind(this.#isBinary) : this.socket.codec.decode(payload);
    if (!('batch' in decoded)) return this.#take(decoded, payload);
    this.#readRest(begun(payload, decoded.batch[Symbol.iterator]()));
  }

  #readRest(frame: BegunFrame): void {
    const { commands } = frame;
    for (let next = commands.next(); !next.done; next = commands.next()) {
      this.#take(next.value);
      // The rest stays undecoded.
      if (this.isClosed) return;
      if (!this.#isHolding) continue;
      (this.#deferred ??= new DeferredFrames()).putBack(frame);
      return this.waitingChanged();
    }
  }

  /** @param payload the frame of the command, if it holds no other */
  #take(decoded: Decoded, payload?: FramePayload): void {
    const phase = this.#phase;
    if (phase === 'starting') throw new Error('A frame was decoded before the welcome');
    const { topicLimits } = this.services;
    const limits = phase === 'serving' ? topicLimits.of(decoded) : undefined;
    const excess = phase === 'serving' ? this.#limit?.take(decoded, limits) : undefined;
    if (excess) this.services.meter.rateLimited += 1;
    const maxBytes = topicLimits.exceeded(decoded, limits, payload);
    const verdict = judgeFrame(phase, decoded, this.socket.codec.isStrict ?? false, excess, maxBytes);
    if (verdict === 'run' && decoded.ok) this.#run(decoded.command);
    else if (typeof verdict === 'object') this.#reject(verdict, decoded);
    if (excess?.isViolation) this.replies.blame('RATE_LIMITED');
  }

  #reject(verdict: FrameRefusal | FrameClose, decoded: Decoded): void {
    const id = decoded.ok ? decoded.command.id : decoded.id;
    if (verdict.kind === 'refuse') return this.replies.refuse(verdict.error, id, verdict.blame);
    if (verdict.error) this.replies.fail(verdict.error, id);
    this.disconnect('BAD_REQUEST', asReason(verdict.reason));
  }

  #run(command: Command): void {
    if (command.action === 'ping') {
      if (command.id !== undefined) this.replies.push({ kind: 'pong', id: command.id });
    } else if (command.action === 'pong') {
      if (!this.#liveness.answered()) this.disconnect('BAD_REQUEST', 'answered a ping that was not sent');
    } else if (this.#session) this.#session.execute(command);
    else if (command.action === 'auth' && this.#peer) endIfFails(this, this.#peer.authenticate(command));
  }

  #end(code: number, reason: string, isChosenHere = false): void {
    if (this.isClosed) return;
    this.#phase = 'closed';
    this.#count(code, isChosenHere);
    this.#record(code, reason, isChosenHere);
    this.#peer = undefined;
    if (this.#limit && this.#session) {
      this.#limit.stop();
      const { allowances, clock } = this.services;
      allowances.giveBack(this.#session.connection.userId, this.#limit.allowance, clock.now());
    }
    this.#deferred = undefined;
    this.#onRead?.();
    this.services.mailboxes.forget(this);
    // A paused socket would never read the peer's part of the closing handshake.
    this.ws.resume();
    this.#session?.end({ code, reason });
  }

  #count(code: number, isChosenHere: boolean): void {
    const { meter, clock } = this.services;
    const since = this.#session?.connection.createdAt.getTime();
    if (since === undefined) return meter.closed(this.share.meter, code, isChosenHere);
    this.share.meter.connections -= 1;
    meter.closed(this.share.meter, code, isChosenHere, meter.isObserved ? Math.max(0, clock.now() - since) : 0);
  }

  #record(code: number, reason: string, isChosenHere: boolean): void {
    const client = { userId: this.#session?.connection.userId, address: this.address };
    this.services.meter.journal.closed(closeCodeLabel(code, isChosenHere), code, reason, isChosenHere, client);
  }
}

/** The close codes before which the client gets the values that still wait for it: its rights are not in doubt. */
const SETTLES: readonly CloseCodeName[] = ['DISCONNECTED', 'SHUTDOWN', 'FORCED'];

function wrongKind(isBinary: boolean): Decoded {
  const message = `Only ${isBinary ? 'binary' : 'text'} frames are accepted.`;
  return { ok: false, error: { code: 'INVALID_MESSAGE', message } };
}
