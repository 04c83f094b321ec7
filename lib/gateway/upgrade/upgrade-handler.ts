import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { NodeDrain } from '../../delivery/node-drain.js';
import { NodeMeter } from '../../delivery/node-meter.js';
import type { Authenticated } from '../../ports/authenticator.js';
import { isPromise, type Awaitable } from '../../core/base/awaitable.js';
import type { ClientAddress } from '../../core/connection/client-address.js';
import { RealtimeTracing, type RealtimeTracer } from '../../ports/realtime-tracing.js';
import type { Codec } from '../../ports/codec.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands, type FirstOutcome } from '../auth/auth-commands.js';
import { Handshake, NO_TOKEN, refusalBecauseOf } from '../auth/handshake.js';
import { loggedPathOf } from '../../core/protocol/upgrade-offers.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { UpgradeAdmission, type WaitingPlace } from './upgrade-admission.js';
import { refuse } from './http-refusal.js';
import { RealtimeGateway } from '../realtime.gateway.js';
import { SafeLogger } from '../../errors/safe-logger.js';

/** The delay that a user with too many connections is told before trying again, in seconds. */
const USER_FULL_RETRY_S = 5;
/** An upgrade, with the verification of its token, takes as long as so many commands. */
const UPGRADE_STEPS = 4;
/** Most newcomers that wait for their turn; they have no place yet, which is what bounds them otherwise. */
const MAX_WAITING = 1_000;
const DRAINING = refusalOf('UNAVAILABLE', 'The server is shutting down; try again.', 1);

/** An upgrade request for one of the package's paths. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** The bytes behind the request's head. */
  readonly head: Buffer;
  /** The codec that the request selected. */
  readonly codec: Codec;
  /** The context of the span of the upgrade, if it is traced. */
  readonly trace?: string | undefined;
}

/** The answer of an authentication; without an identity for a client whose first command has to authenticate. */
type Authentication = { readonly authenticated?: Authenticated; readonly token: string | undefined } | Refusal;

/** Judges upgrade requests, and completes or refuses the upgrade. */
@Injectable()
export class UpgradeHandler {
  readonly #logger = new SafeLogger(UpgradeHandler.name);
  /** Sockets whose request is being judged, each with the request. */
  readonly #pending = new Map<Duplex, IncomingMessage>();
  /** The number of newcomers that wait for their turn. */
  #waiting = 0;

  constructor(
    private readonly settings: RealtimeSettings,
    private readonly handshake: Handshake,
    private readonly authentication: AuthCommands,
    private readonly gateway: RealtimeGateway,
    private readonly drain: NodeDrain,
    private readonly admission: UpgradeAdmission,
    private readonly meter: NodeMeter,
    private readonly tracing: RealtimeTracing,
  ) {
    // An HTTP server closes only after its last socket, and a token verifier may be slow.
    drain.onStart(() => {
      for (const [socket, request] of this.#pending) this.refuse(request, socket, DRAINING);
      this.#pending.clear();
    });
  }

  /** Judges a request and answers it. Never throws: whatever fails is logged, and ends the socket. */
  handle(upgrade: UpgradeRequest): void {
    const { tracer } = this.tracing;
    if (tracer !== undefined) return void this.#handleTraced(tracer, upgrade);
    try {
      const refusal = this.#judge(upgrade);
      if (isPromise(refusal)) void this.#answerLater(upgrade, refusal);
      else if (refusal) this.refuse(upgrade.request, upgrade.socket, refusal);
    } catch (error) {
      this.#fail(upgrade, error);
    }
  }

  /** Answers a request with a refusal, and records it. */
  refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    const { status, reason = refusal.message } = refusal;
    const path = loggedPathOf(request.url ?? '');
    const { address } = this.admission.clientOf(request);
    this.#logger.debug(`Upgrade refused with ${status}: ${reason} (${address}, ${path})`);
    this.meter.upgraded(status);
    this.meter.journal.refused(refusal, { address });
    refuse(socket, refusal);
  }

  async #answerLater(upgrade: UpgradeRequest, judging: Promise<Refusal | undefined>): Promise<void> {
    try {
      const refusal = await judging;
      if (refusal) this.refuse(upgrade.request, upgrade.socket, refusal);
    } catch (error) {
      this.#fail(upgrade, error);
    }
  }

  async #handleTraced(tracer: RealtimeTracer, upgrade: UpgradeRequest): Promise<void> {
    const { request, socket, codec } = upgrade;
    const attributes = { 'realtime.protocol': codec.name };
    const { traceparent } = request.headers;
    const parent = typeof traceparent === 'string' ? traceparent : undefined;
    const span = tracer.start({ kind: 'upgrade', name: 'upgrade', attributes, parent });
    let status: number | undefined;
    socket.on('error', destroy);
    try {
      const refusal = await span.run(async () => this.#judge({ ...upgrade, trace: span.traceparent }));
      status = refusal?.status ?? (socket.destroyed || socket.writableEnded ? undefined : 101);
      if (!socket.destroyed) socket.off('error', destroy);
      if (refusal) this.refuse(request, socket, refusal);
    } catch (error) {
      status = 500;
      this.#fail(upgrade, error);
    }
    if (status === undefined) return span.end();
    span.end({ 'http.response.status_code': status, ...(status >= 500 && { 'error.type': `${status}` }) });
  }

  #fail({ socket }: UpgradeRequest, error: unknown): void {
    this.#logger.error('An upgrade request failed', (error as Error)?.stack);
    socket.destroy();
  }

  /** Completes the upgrade of a request or returns its refusal; cheap checks come first. */
  #judge(upgrade: UpgradeRequest): Awaitable<Refusal | undefined> {
    if (this.drain.isDraining) return DRAINING;
    const { request, codec } = upgrade;
    const client = this.admission.clientOf(request);
    const unread = this.handshake.refusalUnread(request, client);
    if (unread) return this.admission.turnAway(client, unread);
    const sent = this.#tokenOf(request);
    if (sent && typeof sent === 'object' && 'status' in sent) {
      return sent.code === 'UNAVAILABLE' ? sent : this.admission.turnAway(client, sent);
    }
    if (sent === undefined && !this.#isOptional(codec)) return this.admission.turnAway(client, NO_TOKEN);
    const turn = this.#itsTurn();
    return turn ? this.#waitForTurn(upgrade, client, sent, turn) : this.#admit(upgrade, client, sent);
  }

  /** A client that waits takes no place yet: a crowd behind one address would fill the places of that address. */
  async #waitForTurn(
    upgrade: UpgradeRequest,
    client: ClientAddress,
    sent: ReturnType<Handshake['tokenOf']>,
    turn: Promise<void>,
  ): Promise<Refusal | undefined> {
    const { socket } = upgrade;
    socket.on('error', destroy);
    await turn;
    // The event of an error may still follow.
    if (socket.destroyed) return undefined;
    socket.off('error', destroy);
    return this.drain.isDraining ? DRAINING : this.#admit(upgrade, client, sent);
  }

  /** Authenticates a client and completes its upgrade, or returns its refusal. */
  #admit(
    upgrade: UpgradeRequest,
    client: ClientAddress,
    sent: ReturnType<Handshake['tokenOf']>,
  ): Awaitable<Refusal | undefined> {
    const { request, codec } = upgrade;
    // If the client sends the first command, its request's token is not verified: it must not take a place reserved for tokens.
    const guest = sent === undefined || codec.clientOpens ? 'anonymous' : 'token';
    // All requests being judged may still be admitted.
    const place = this.admission.enter(client, this.gateway.connectionCount + this.#pending.size, guest);
    if ('status' in place) return place;
    const { address } = client;
    const info: ConnectInfo = address ? { purpose: 'connect', request, address } : { purpose: 'connect', request };
    const answer = this.#authenticate(sent, codec, info);
    return isPromise(answer)
      ? this.#admitLater(upgrade, place, answer, info)
      : this.#complete(upgrade, place, answer, info);
  }

  async #admitLater(
    upgrade: UpgradeRequest,
    place: WaitingPlace,
    answering: Promise<Authentication>,
    info: ConnectInfo,
  ): Promise<Refusal | undefined> {
    const { request, socket } = upgrade;
    // A client that leaves frees its place at once, however long the verification takes.
    const leave = (): undefined => void place.settle('refused');
    socket.on('close', leave);
    socket.on('error', destroy);
    this.#pending.set(socket, request);
    const { turns } = this.gateway.turns;
    const answer = await answering;
    // Verifications that take several turns may all end in one.
    if (turns !== this.gateway.turns.turns) await this.#itsTurn();
    // The client has left, or was told that the server is shutting down. The event of an error may still follow.
    if (!this.#pending.delete(socket) || socket.destroyed) return leave();
    socket.off('close', leave);
    socket.off('error', destroy);
    return this.#complete(upgrade, place, answer, info);
  }

  /** Completes the upgrade of a client that was authenticated, or whose first command has to; else returns the refusal. */
  #complete(
    upgrade: UpgradeRequest,
    place: WaitingPlace,
    answer: Authentication,
    info: ConnectInfo,
  ): Refusal | undefined {
    try {
      // A verifier may have begun the drain.
      if (!this.drain.isDraining) return this.#letIn(upgrade, place, answer, info);
      place.settle('unknown');
      return DRAINING;
    } catch (error) {
      place.settle('unknown');
      throw error;
    }
  }

  #letIn(
    { request, socket, head, codec, trace }: UpgradeRequest,
    place: WaitingPlace,
    answer: Authentication,
    info: ConnectInfo,
  ): Refusal | undefined {
    if ('status' in answer) {
      place.settle(answer.code === 'UNAVAILABLE' ? 'unknown' : 'refused');
      return answer;
    }
    const { authenticated, token } = answer;
    if (!authenticated) {
      socket.on('close', () => void place.settle('refused'));
      const judged = (outcome: FirstOutcome) => judgedFirst(place, outcome);
      this.gateway.upgrade(request, socket, head, codec, { token, info, judged }, info.address, trace);
      return undefined;
    }
    const { userId } = authenticated.identity;
    const full = this.authentication.fullFor(userId);
    if (full) {
      place.settle('refused');
      return { ...full, status: 429, retryAfterS: USER_FULL_RETRY_S };
    }
    const busy = place.settle('verified', userId);
    if (busy) return busy;
    this.gateway.upgrade(request, socket, head, codec, authenticated, info.address, trace);
    return undefined;
  }

  /**
   * Newcomers who all come at once are let in over several turns of the event loop, so that others are served in between.
   * @returns a promise if this one has to wait for its turn; when too many wait, nobody else does
   */
  #itsTurn(): Promise<void> | undefined {
    const { turns } = this.gateway;
    if (this.#waiting >= MAX_WAITING || !turns.isOver(UPGRADE_STEPS)) return undefined;
    this.#waiting += 1;
    return turns.next().then(() => void (this.#waiting -= 1));
  }

  #tokenOf(request: IncomingMessage): ReturnType<Handshake['tokenOf']> | Refusal {
    try {
      const sent = this.handshake.tokenOf(request);
      // It is awaited when the request has its turn.
      if (isPromise(sent)) sent.catch(() => undefined);
      return sent;
    } catch (error) {
      return refusalBecauseOf(error);
    }
  }

  /** True if the first command may bring the token. */
  #isOptional({ clientOpens = false }: Codec): boolean {
    return clientOpens || this.settings.token.firstCommand;
  }

  /** Authenticates a request, unless its first command has to. Never rejects. */
  #authenticate(sent: ReturnType<Handshake['tokenOf']>, codec: Codec, info: ConnectInfo): Awaitable<Authentication> {
    return isPromise(sent) ? this.#authenticateLater(sent, codec, info) : this.#authenticateToken(sent, codec, info);
  }

  #authenticateToken(token: string | undefined, codec: Codec, info: ConnectInfo): Awaitable<Authentication> {
    if (codec.clientOpens || token === undefined) return this.#isOptional(codec) ? { token } : NO_TOKEN;
    try {
      const authenticated = this.handshake.authenticate(token, info);
      if (!isPromise(authenticated)) return { token, authenticated };
      return authenticated.then((accepted) => ({ token, authenticated: accepted }), refusalBecauseOf);
    } catch (error) {
      return refusalBecauseOf(error);
    }
  }

  async #authenticateLater(
    sent: Promise<string | undefined>,
    codec: Codec,
    info: ConnectInfo,
  ): Promise<Authentication> {
    try {
      return await this.#authenticateToken(await sent, codec, info);
    } catch (error) {
      return refusalBecauseOf(error);
    }
  }
}

/** Settles the place of a client whose first command carried a token; the node's capacity is checked last. */
function judgedFirst(place: WaitingPlace, outcome: FirstOutcome): FirstOutcome {
  if (!outcome.ok) {
    place.settle(outcome.error.code === 'UNAVAILABLE' ? 'unknown' : 'refused');
    return outcome;
  }
  const busy = place.settle('verified', outcome.authenticated.identity.userId);
  if (!busy) return outcome;
  const { code = 'UNAVAILABLE', message, retryAfterS = 1 } = busy;
  const error = { code, action: 'auth', message, retryAfterMs: retryAfterS * 1_000 } as const;
  return { ok: false, error, closeCode: code === 'RATE_LIMITED' ? 'TOO_MANY_REQUESTS' : 'SERVER_ERROR' };
}

/** A listener for `error`: a socket may fail at any moment while it waits, and without a listener that would end the process. */
function destroy(this: Duplex): void {
  this.destroy();
}
