import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { ReadingPause } from '../../core/connection/reading-pause.js';
import type { StreamPosition } from '../../core/history/history.js';
import type { ClientAllowance } from '../../core/protocol/client-allowance.js';
import { CLOSE_CODES, type CloseCodeName } from '../../core/protocol/close-code.js';
import { closeCodeOf } from '../../core/protocol/error-close.js';
import type { AuthCommand, CancelCommand, Command, PingCommand, PongCommand } from '../../core/protocol/command.js';
import type { MetadataOrder, RightsOrder } from '../../core/routing/envelope.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { DeliveryTarget } from '../../delivery/delivery-target.js';
import type { ConnectionClose } from '../../handlers/handler.dispatcher.js';
import { toWireError } from '../../handlers/wire-error.js';
import type { Authenticated } from '../../ports/authenticator.js';
import type { Accepted } from '../auth/handshake.js';
import type { ClientReplies } from './client-replies.js';
import type { Client } from './client.js';
import { asReason } from './close-reason.js';
import { CommandLoop } from './command-loop.js';
import { endIfFails } from './connection-failure.js';
import { ConnectionSnapshot } from './connection-snapshot.js';
import type { Endpoint, HoldableSocket } from './endpoint.js';
import { HookOrder } from './hook-order.js';
import { PersonalTopicSubscription } from './personal-topic-subscription.js';
import type { SessionServices } from './session-services.js';
import { SessionToken } from './session-token.js';
import { RepeatedFailures } from '../../errors/repeated-failures.js';

const notJoined = new RepeatedFailures('RealtimeGateway', 'The bus could not be joined');

/** The commands that a session carries out; pings are answered before. */
export type SessionCommand = Exclude<Command, PingCommand | PongCommand>;

/** One authenticated connection: its welcome, its commands, the changes of its rights, and its end. */
export class Session implements DeliveryTarget, Client {
  readonly socket: HoldableSocket;
  readonly replies: ClientReplies;
  lastFanOut = 0;
  readonly #hooks: HookOrder;
  readonly #loop: CommandLoop;
  readonly #token: SessionToken;
  readonly #snapshot: ConnectionSnapshot;

  constructor(
    private readonly endpoint: Endpoint,
    authenticated: Authenticated & Partial<Pick<Accepted, 'connectMetadata'>>,
    private readonly services: SessionServices,
  ) {
    this.socket = endpoint.socket;
    this.replies = endpoint.replies;
    this.#snapshot = new ConnectionSnapshot(authenticated, services);
    this.#hooks = new HookOrder(services);
    this.#loop = new CommandLoop(this, services, this.#hooks);
    this.#token = new SessionToken(this, services, authenticated);
  }

  get connection(): RealtimeConnection {
    return this.#snapshot.current;
  }

  get address(): string | undefined {
    return this.endpoint.address;
  }

  get trace(): string | undefined {
    return this.endpoint.trace;
  }

  get hasPersonalTopic(): boolean {
    return PersonalTopicSubscription.isFor(this.socket.codec, this.services.settings);
  }

  get allowance(): ClientAllowance {
    return this.endpoint.allowance;
  }

  get isClosed(): boolean {
    return this.endpoint.isClosed;
  }

  /** Fulfils when every started hook of the application has run. */
  get hooksSettled(): Promise<void> | undefined {
    return this.#hooks.settled;
  }

  /** The estimated bytes of heap of the waiting commands. */
  get waitingBytes(): number {
    return this.#loop.waitingBytes;
  }

  /** Returns false if a subscription to the topic would be one more than the connection may have. */
  hasRoomFor(topic: string): boolean {
    return this.#loop.hasRoomFor(topic);
  }

  pauseReading(reason: ReadingPause): void {
    this.endpoint.pauseReading(reason);
  }

  resumeReading(reason: ReadingPause): void {
    this.endpoint.resumeReading(reason);
  }

  drained(): Promise<void> | undefined {
    return this.socket.drained();
  }

  waitingChanged(): void {
    this.endpoint.waitingChanged();
  }

  disconnect(code: CloseCodeName, reason?: string): void {
    this.endpoint.disconnect(code, reason);
  }

  /**
   * Makes the connection reachable, welcomes the client, and runs `@OnConnect()`; commands wait until then.
   * @param command the first command, when it brought the token
   * @returns nothing if there was nothing to wait for
   */
  start(command?: AuthCommand): void | Promise<void> {
    if (command) this.#confirm(command);
    const { connection, services } = this;
    const personal = this.hasPersonalTopic
      ? new PersonalTopicSubscription(connection.userId, command?.recover, services, this.replies, this.#loop.pages)
      : undefined;
    const joined = services.membership.add(connection, this, personal?.entry);
    if (!joined) return this.#begin(personal, command);
    // The connection is reachable already, but messages must not overtake the welcome.
    this.pauseReading('start');
    this.socket.hold();
    return this.#isActive(joined).then((isActive) => (isActive ? this.#begin(personal, command) : undefined));
  }

  #begin(personal: PersonalTopicSubscription | undefined, command: AuthCommand | undefined): void | Promise<void> {
    this.socket.release(() => this.#welcome(personal, command));
    // The welcome may have exceeded the send queue.
    if (this.isClosed) return;
    const connected = this.#hooks.connected(this.connection);
    this.endpoint.startServing();
    return connected ? this.#letIn(connected) : this.#connected();
  }

  /** Waits for `@OnConnect()`, which may refuse the connection. */
  async #letIn(connected: Promise<void>): Promise<void> {
    try {
      await connected;
    } catch (error) {
      const { code, message } = toWireError(error);
      this.disconnect(closeCodeOf(code), asReason(message));
    }
    this.#connected();
  }

  #connected(): void {
    if (this.isClosed) return;
    this.services.presence.opened(this.connection);
    this.#loop.start();
  }

  /** Executes a command in its turn. */
  execute(command: SessionCommand): void {
    if (command.action === 'auth') endIfFails(this, this.#renew(command));
    else if (command.action === 'cancel') this.#cancel(command);
    else this.#loop.accept(command);
  }

  /** Sends what was sent to many and still waits for this connection. */
  catchUp(): void {
    this.services.membership.catchUp(this.connection.id);
  }

  /** Sends the messages that wait because newer ones may replace them. */
  settle(): void {
    this.services.membership.settle(this.connection.id);
  }

  /** Fulfils when the commands that were read are answered. */
  finish(): Promise<void> {
    return this.#loop.finish();
  }

  /** Called periodically: ends the connection, or leaves the topics, whose token has expired. */
  expire(now: number): void {
    const { expiresAt } = this.connection;
    if (expiresAt && this.#token.hasExpired(expiresAt, now)) return this.disconnect('EXPIRED');
    this.#loop.subscriptions.expire(now);
  }

  /** Makes the connection unreachable at once; the hooks run asynchronously. */
  end(close: ConnectionClose): void {
    this.#loop.stop(close.code === CLOSE_CODES.SHUTDOWN.code ? 'shutdown' : 'disconnect');
    const connection = this.connection;
    const topics = this.services.membership.remove(connection.id);
    this.services.presence.ended(connection, topics, close.code);
    this.#hooks.ended(connection, topics, close);
  }

  subscribe(topic: string): boolean | Promise<boolean> {
    return this.#loop.subscriptions.subscribeByServer(topic);
  }

  unsubscribe(topic: string, reason: string): boolean {
    this.services.membership.settle(this.connection.id, [topic]);
    return this.#loop.subscriptions.unsubscribeByServer(topic, reason);
  }

  missed(topic: string, position: StreamPosition): void {
    // A client can begin its personal topic again only with a new connection.
    if (topic === personalTopic(this.connection.userId)) return this.disconnect('INSUFFICIENT_STATE');
    const byServer = this.#loop.subscriptions.isChosenByServer(topic);
    this.replies.push({ kind: 'subscribed', topic, position, recovered: false, ...(byServer && { byServer }) });
  }

  leftOut(topic: string, count: number): void {
    this.replies.push({ kind: 'dropped', topic, count });
  }

  async changeRights({ roles, permissions }: Omit<RightsOrder, 'kind'>): Promise<void> {
    if (this.isClosed) return;
    this.#token.rightsChanged({ ...(roles && { roles }), ...(permissions && { permissions }) });
    await this.#changed(this.#snapshot.changeRights({ roles, permissions }));
  }

  async updateMetadata({ patch, reauthorize }: Omit<MetadataOrder, 'kind'>): Promise<void> {
    if (this.isClosed) return;
    this.#snapshot.updateMetadata(patch);
    await this.#changed(reauthorize ?? false);
  }

  revalidate(): void {
    endIfFails(this, this.#token.endIfRevoked());
    this.#loop.subscriptions.revalidate();
  }

  /** Applies a newer token of the same user: rights and expiry follow it, and topics are reauthorized. */
  async #renew(command: AuthCommand): Promise<void> {
    const connection = await this.#token.renew(command);
    if (connection) await this.#changed(this.#snapshot.renew(connection), command);
  }

  /**
   * Makes a new snapshot known. Ends the connection if it lacks the rights that every connection must have.
   * @param reauthorizes true to judge the topics again: their messages are held until each topic is decided
   */
  async #changed(reauthorizes: boolean, command?: AuthCommand): Promise<void> {
    // An order that still waits may change the snapshot, too, or end the connection.
    this.catchUp();
    if (this.isClosed) return;
    const { connection } = this;
    const refusal = this.#token.refusalOf(connection);
    if (refusal) return this.disconnect('PERMISSION_DENIED', asReason(refusal.message));
    if (reauthorizes) this.#loop.subscriptions.reauthorize();
    if (!(await this.#isActive(this.services.membership.update(connection)))) return;
    if (command) this.#confirm(command);
  }

  #cancel({ id, answers }: CancelCommand): void {
    this.#loop.cancel(id);
    if (answers !== undefined) this.replies.push({ kind: 'complete', id: answers });
  }

  #confirm({ id }: AuthCommand): void {
    if (id === undefined) return;
    this.replies.push({ kind: 'authenticated', id, userId: this.connection.userId, ...this.#token.end });
  }

  #welcome(personal: PersonalTopicSubscription | undefined, command: AuthCommand | undefined): void {
    const welcome = this.#snapshot.welcome(this.#token.end, personal, command);
    if (welcome.personal?.publications) this.replies.pushCounted(welcome);
    else this.replies.push(welcome);
    personal?.welcomed();
  }

  /** Waits until a change is active on the bus. @returns false when that failed, or the session has ended meanwhile */
  async #isActive(change: void | Promise<unknown>): Promise<boolean> {
    try {
      if (change) await change;
    } catch (error) {
      notJoined.say(error);
      this.disconnect('SERVER_ERROR');
    }
    return !this.isClosed;
  }
}
