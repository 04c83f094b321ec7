import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, MAX_REASON_BYTES, type CloseCodeName } from '../core/close-code.js';
import type { AuthCommand, Command, CommandId } from '../core/command.js';
import { connectionIdOn } from '../core/connection-id.js';
import { createConnection, type RealtimeConnection } from '../core/connection.js';
import type { ErrorCode, WireError } from '../core/error-code.js';
import type { Push } from '../core/push.js';
import { TokenBucket } from '../core/token-bucket.js';
import type { DeliveryTarget } from '../delivery/delivery-target.js';
import { toWireError } from '../handlers/wire-error.js';
import type { Authenticated } from '../ports/authenticator.js';
import type { Decoded } from '../ports/codec.js';
import { Frame } from '../ports/frame.js';
import { CommandLoop } from './command-loop.js';
import type { Beat } from './heartbeat.js';
import type { SessionServices } from './session-services.js';
import type { WsConnectionSocket } from './ws-connection-socket.js';

const logger = new Logger('RealtimeGateway');

/** How long before the end of its token's life a client is warned, in milliseconds. */
const EXPIRY_WARNING_MS = 25_000;

type Phase =
  /** Nothing but `auth` is listened to. */
  | 'anonymous'
  | 'authenticating'
  /** Reachable by messages; commands wait until the application's hooks have run. */
  | 'opening'
  | 'open'
  | 'closed';

/** The life of one WebSocket, from the upgrade to the last hook: who it is, whether it still lives, and how it ends. */
export class Session implements DeliveryTarget {
  readonly #loop: CommandLoop;
  #phase: Phase = 'anonymous';
  #connection: RealtimeConnection | undefined;
  #renewing = false;
  readonly #deadline: number;
  readonly #commands: TokenBucket;
  readonly #mistakes: TokenBucket;
  #expiryAnnounced = false;
  #ticksToPing: number | undefined;
  #ticksToPong = 0;
  #hooks: Promise<void> | undefined;
  #isGone = false;
  #onGone: (() => void)[] = [];

  constructor(
    readonly socket: WsConnectionSocket,
    private readonly ws: WebSocket,
    private readonly services: SessionServices,
    private readonly onAuthenticated: () => void,
  ) {
    const now = services.clock.now();
    this.#loop = new CommandLoop(this, services);
    this.#deadline = now + services.settings.limits.authTimeoutMs;
    this.#commands = new TokenBucket(services.commandRate, now);
    this.#mistakes = new TokenBucket(services.mistakeRate, now);
  }

  /** The present snapshot. Only there once somebody has authenticated. */
  get connection(): RealtimeConnection {
    return this.#connection!;
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** Resolves once the socket is gone and the application's hooks have run. */
  get gone(): Promise<void> {
    return new Promise((resolve) => (this.#isGone ? resolve() : this.#onGone.push(resolve)));
  }

  open(authenticated: Authenticated | undefined): void {
    if (authenticated) this.#run(this.#admit(authenticated));
  }

  receive(data: Buffer, isBinary: boolean): void {
    if (this.isClosed) return;
    this.heard();
    const decoded = isBinary ? BINARY : this.socket.codec.decode(data.toString());
    const waitMs = this.#commands.take(this.services.clock.now());
    if (waitMs > 0) {
      const message = 'Too many commands in too short a time; this one was not carried out.';
      this.refuse({ code: 'RATE_LIMITED', message, retryAfterMs: waitMs }, idOf(decoded));
    } else if (this.#phase === 'anonymous' && !(decoded.ok && decoded.command.action === 'auth')) {
      const message = 'Authenticate first: {"action":"auth","token":"…"}.';
      this.fail({ code: 'UNAUTHENTICATED', message }, idOf(decoded));
      this.disconnect('BAD_REQUEST', 'authenticate first');
    } else if (!decoded.ok) this.refuse(decoded.error, decoded.id);
    else this.#take(decoded.command);
  }

  /** The peer lives. */
  heard(): void {
    this.#ticksToPong = 0;
  }

  push(push: Push): void {
    const timestamp = new Date(this.services.clock.now()).toISOString();
    this.socket.send(new Frame(this.socket.codec.encodePush(push, timestamp)));
  }

  /** Tells the client that something failed; with an id, it is the answer to that command. */
  fail(error: WireError, id?: CommandId): void {
    this.#pushError(error, id);
  }

  /** Tells the client that it did what it should have known not to do; one time too many ends the connection. */
  refuse(error: WireError, id?: CommandId): void {
    this.fail(error, id);
    if (this.#mistakes.take(this.services.clock.now()) === 0) return;
    this.disconnect(error.code === 'RATE_LIMITED' ? 'TOO_MANY_REQUESTS' : 'TOO_MANY_ERRORS');
  }

  pauseReading(): void {
    if (!this.isClosed) this.ws.pause();
  }

  resumeReading(): void {
    this.ws.resume();
  }

  disconnect(name: CloseCodeName, reason: string = CLOSE_CODES[name].reason): void {
    if (this.isClosed) return;
    this.#finish(CLOSE_CODES[name].code, reason);
    this.socket.close(name, reason);
  }

  /** Reads no more commands, answers those that were read, and asks the client to go elsewhere. */
  retire(): void {
    this.pauseReading();
    void this.#loop.finish().then(() => this.disconnect('SHUTDOWN'));
  }

  subscribe(topic: string): boolean {
    return this.#loop.subscribeByServer(topic);
  }

  unsubscribe(topic: string, reason: string): boolean {
    return this.#loop.unsubscribeByServer(topic, reason);
  }

  /** Ends the socket at once. */
  terminate(): void {
    this.#finish(CLOSE_CODES.DISCONNECTED.code, CLOSE_CODES.DISCONNECTED.reason);
    this.socket.terminate();
  }

  /** The socket has closed, by whomever. Resolves when the application's hooks have run. */
  async ended(code: number, reason: string): Promise<void> {
    this.socket.closed();
    this.#finish(code, reason);
    await this.#hooks;
    this.#isGone = true;
    this.#onGone.forEach((resolve) => resolve());
  }

  /** Called at a steady pace. */
  tick({ now, ping, intervalTicks, timeoutTicks, stallTicks }: Beat): void {
    if (this.isClosed) return;
    if (this.socket.isStalled(stallTicks)) return this.socket.giveUp();
    if (this.#phase === 'anonymous' && now >= this.#deadline) return this.disconnect('STALE');
    if (this.#connection === undefined || this.#expire(now, this.#connection)) return;
    if (this.#ticksToPong > 0 && --this.#ticksToPong === 0) return this.disconnect('NO_PONG');
    // The first ping of each connection falls anywhere into the interval, which spreads the load.
    this.#ticksToPing ??= Math.ceil(Math.random() * intervalTicks);
    if (--this.#ticksToPing > 0) return;
    this.#ticksToPing = intervalTicks;
    if (this.#ticksToPong === 0) this.#ticksToPong = timeoutTicks + 1;
    this.ws.ping();
    this.socket.send(ping);
  }

  #expire(now: number, { expiresAt }: RealtimeConnection): boolean {
    const { authorize, clockToleranceS } = this.services.settings;
    if (expiresAt === undefined || authorize.allowExpired) return false;
    const leftMs = expiresAt.getTime() + clockToleranceS * 1000 - now;
    if (leftMs <= 0) this.disconnect('EXPIRED');
    else if (leftMs <= EXPIRY_WARNING_MS && !this.#expiryAnnounced) {
      this.#expiryAnnounced = true;
      this.push({ kind: 'expiring', expiresAt });
    }
    return leftMs <= 0;
  }

  #take(command: Command): void {
    switch (command.action) {
      case 'auth':
        this.#run(this.#phase === 'anonymous' ? this.#authenticate(command) : this.#renew(command));
        return;
      case 'ping':
        if (command.id !== undefined) this.push({ kind: 'pong', id: command.id });
        return;
      case 'cancel':
        this.#loop.cancel(command.id);
        return;
      default:
        this.#loop.accept(command);
    }
  }

  /** What goes on by itself must not end the process when it fails. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      logger.error('A connection failed', (error as Error)?.stack);
      this.disconnect('SERVER_ERROR');
    });
  }

  /** The token as the first command. */
  async #authenticate(command: AuthCommand): Promise<void> {
    this.#phase = 'authenticating';
    const authenticated = await this.#verify(command);
    if (this.isClosed) return;
    if ('code' in authenticated) {
      this.fail(authenticated, command.id);
      this.disconnect(closeCodeOf(authenticated.code));
      return;
    }
    this.onAuthenticated();
    const { identity, expiresAt } = authenticated;
    if (this.services.isFullFor(identity.userId)) {
      const message = 'The user has as many connections as one may have.';
      this.fail({ code: 'LIMIT_EXCEEDED', action: 'auth', message }, command.id);
      this.disconnect('CONNECTION_LIMIT');
      return;
    }
    this.#answerAuth(command, identity.userId, expiresAt);
    await this.#admit(authenticated);
  }

  /** A newer token for the same user: roles, permissions and the time of expiry follow it. */
  async #renew(command: AuthCommand): Promise<void> {
    if (this.#renewing || this.#connection === undefined) {
      return this.fail(
        { code: 'RATE_LIMITED', action: 'auth', message: 'Another token is being verified.' },
        command.id,
      );
    }
    this.#renewing = true;
    const authenticated = await this.#verify(command);
    this.#renewing = false;
    if (this.isClosed) return;
    if ('code' in authenticated) return this.fail(authenticated, command.id);
    const { identity, expiresAt } = authenticated;
    const { id, userId, createdAt } = this.#connection;
    if (identity.userId !== userId) {
      return this.fail({ code: 'FORBIDDEN', action: 'auth', message: 'The token is for another user.' }, command.id);
    }
    this.#connection = createConnection({ id, ...identity, createdAt, ...(expiresAt && { expiresAt }) });
    this.#expiryAnnounced = false;
    if (!(await this.#inForce(this.services.membership.update(this.#connection)))) return;
    this.#answerAuth(command, userId, expiresAt);
  }

  async #verify({ token }: AuthCommand): Promise<Authenticated | WireError> {
    try {
      return await this.services.handshake.authenticate(token);
    } catch (error) {
      return toWireError(error, { action: 'auth' });
    }
  }

  #answerAuth({ id }: AuthCommand, userId: string, expiresAt: Date | undefined): void {
    if (id !== undefined) this.push({ kind: 'authenticated', id, userId, ...(expiresAt && { expiresAt }) });
  }

  /** An error of the application may have details that the codec cannot write; then the client is told less. */
  #pushError(error: WireError, id: CommandId | undefined): void {
    const identified = id !== undefined && { id };
    try {
      this.push({ kind: 'error', error, ...identified });
    } catch (cause) {
      logger.error(`An error with the code ${error.code} could not be written`, (cause as Error)?.stack);
      const { action, topic } = error;
      const at = { ...(action !== undefined && { action }), ...(topic !== undefined && { topic }) };
      this.push({ kind: 'error', error: { ...UNWRITABLE, ...at }, ...identified });
    }
  }

  async #admit({ identity, expiresAt }: Authenticated): Promise<void> {
    const { settings, membership, events, dispatcher, clock, ids, node } = this.services;
    this.#phase = 'opening';
    const connection = createConnection({
      id: connectionIdOn(node.id, ids.next()),
      ...identity,
      createdAt: new Date(clock.now()),
      ...(expiresAt && { expiresAt }),
    });
    this.#connection = connection;
    if (!(await this.#inForce(membership.add(connection, this)))) return;
    this.push({
      kind: 'welcome',
      connectionId: connection.id,
      userId: connection.userId,
      ...(expiresAt && { expiresAt }),
      heartbeatMs: settings.heartbeat.intervalMs,
      maxMessageBytes: settings.limits.maxMessageBytes,
    });
    events.emit({ type: 'connected', connection });
    const connected = dispatcher.connected(connection);
    this.#hooks = connected.catch(() => undefined);
    try {
      await connected;
    } catch (error) {
      const { code, message } = toWireError(error);
      this.disconnect(closeCodeOf(code), asReason(message));
    }
    if (this.isClosed) return;
    this.#phase = 'open';
    this.#loop.start();
  }

  /** Waits until a change has reached the bus. @returns false when the session has ended meanwhile, or because that failed */
  async #inForce(change: void | Promise<void>): Promise<boolean> {
    try {
      if (change) await change;
    } catch (error) {
      logger.error('The bus could not be joined', (error as Error)?.stack);
      this.disconnect('SERVER_ERROR');
    }
    return !this.isClosed;
  }

  /** Makes the connection unreachable at once; hooks follow in their own time. */
  #finish(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#phase = 'closed';
    this.#loop.stop();
    // A paused socket would never read the peer's part of the closing handshake.
    this.ws.resume();
    const connection = this.#connection;
    if (connection === undefined) return;
    const topics = this.services.membership.remove(connection.id);
    if (this.#hooks) this.#hooks = this.#farewell(this.#hooks, connection, topics, code, reason);
  }

  /** The leaving hooks, after the entering ones; a connection that no hook was told of leaves unannounced. */
  async #farewell(
    entered: Promise<void>,
    connection: RealtimeConnection,
    topics: readonly string[],
    code: number,
    reason: string,
  ): Promise<void> {
    const { events, dispatcher } = this.services;
    await entered;
    for (const topic of topics) {
      events.emit({ type: 'unsubscribed', connection, topic });
      await dispatcher.unsubscribed(connection, topic);
    }
    events.emit({ type: 'disconnected', connection, code, reason });
    await dispatcher.disconnected(connection, { code, reason });
  }
}

const UNWRITABLE = { code: 'INTERNAL', message: 'The server failed to handle this; its log has the reason.' } as const;

const BINARY = {
  ok: false,
  id: undefined,
  error: { code: 'INVALID_MESSAGE', message: 'Only text frames are understood.' },
} as const;

function idOf(decoded: Decoded): CommandId | undefined {
  return decoded.ok ? decoded.command.id : decoded.id;
}

function closeCodeOf(code: ErrorCode): CloseCodeName {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'INVALID_TOKEN';
    case 'TOKEN_EXPIRED':
      return 'EXPIRED';
    case 'FORBIDDEN':
      return 'PERMISSION_DENIED';
    default:
      return 'SERVER_ERROR';
  }
}

/** A text as the reason of a close frame: what there is room for, or nothing when there is no text. */
function asReason(text: string): string | undefined {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return text.trim() || undefined;
  const room = MAX_REASON_BYTES - Buffer.byteLength('…');
  // A character that was cut in two decodes as U+FFFD.
  return `${Buffer.from(text)
    .subarray(0, room)
    .toString()
    .replace(/\uFFFD$/, '')}…`;
}
