import {
  ConflictException,
  ForbiddenException,
  Injectable,
  ServiceUnavailableException,
  UnprocessableEntityException,
} from '@nestjs/common';
import {
  allow,
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeError,
  RealtimeService,
  TopicGateway,
  TopicName,
  type RealtimeConnection,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { from, NEVER } from 'rxjs';
import type { TestClient } from 'nestjs-realtime/testing';
import { IS_PROTOBUF } from '../../helpers/sdk-form.js';
import { startRealtimeApp, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

/** The URL to which SDKs connect. */
export const PATH = '/ws/connection/websocket';

/** Rooms that accept every subscriber except for impossible requests. */
@Injectable()
@TopicGateway('room:{id}')
export class Rooms {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe() join(@MessageBody() payload: unknown, @CurrentConnection() me: RealtimeConnection) {
    if (me.roles.has('banned')) return false;
    if (payload === 'throw') throw new ForbiddenException('Members only');
    if (payload === 'later') throw new ServiceUnavailableException('Too early');
    if (payload === 'data') return allow({ data: { title: 'Lobby' } });
    return payload !== 'no';
  }

  @OnMessage('echo') echo(@MessageBody() payload: unknown) {
    return payload;
  }

  @OnMessage('say') async say(
    @MessageBody() text: unknown,
    @TopicName() topic: string,
    @CurrentConnection() me: RealtimeConnection,
  ) {
    await this.realtime.publish(topic, { type: 'said', payload: { from: me.userId, text } });
  }

  @OnMessage('count') count() {
    return from([1, 2, 3]);
  }

  @OnMessage('wait') wait() {
    return NEVER;
  }

  @OnMessage('fail') fail(@MessageBody() how: string) {
    switch (how) {
      case 'unprocessable':
        throw new UnprocessableEntityException('text is empty');
      case 'conflict':
        throw new ConflictException({ reason: 'taken' });
      case 'forbidden':
        throw new ForbiddenException('Read only');
      case 'unavailable':
        throw new ServiceUnavailableException('Come back later');
      case 'ours':
        throw new RealtimeError('RATE_LIMITED', 'Not so fast');
      default:
        throw new TypeError('password=1');
    }
  }
}

/** Topics that open to those alone who have a token for them. */
@Injectable()
@TopicGateway('vault:{id}')
export class Vaults {}

/** An application that SDKs and plain clients can connect to. */
export function startRooms(options: RealtimeOptions = {}, parts: RealtimeAppParts = {}): Promise<RealtimeApp> {
  return startRealtimeApp({ providers: [Rooms, Vaults], ...parts, options: { centrifuge: true, ...options } });
}

/** One line of the protocol, as a test looks at it. */
export type Line = Readonly<Record<string, any>>;

/** A client without an SDK: it says what a test likes. */
export class LineClient {
  constructor(readonly client: TestClient) {}

  static async to(app: RealtimeApp, options?: Parameters<RealtimeApp['connectTo']>[1]): Promise<LineClient> {
    if (!IS_PROTOBUF) return new LineClient(await app.connectTo(PATH, options));
    const { asProtobuf } = await import('../../helpers/protobuf-client.js');
    return new LineClient(asProtobuf(await app.connectTo(`${PATH}?cf_protocol=protobuf`, options)));
  }

  /** Sends commands in one frame. */
  send(...commands: readonly (object | string)[]): void {
    this.client.send(commands.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n'));
  }

  /** The answer to a command. */
  async reply(id: number): Promise<Line> {
    return this.client.next((line) => (line as Line)['id'] === id);
  }

  /** Resolves with the next push of this kind. */
  async push(kind: string): Promise<Line> {
    const line: Line = await this.client.next((each) => (each as Line)['push']?.[kind] !== undefined);
    return line['push'] as Line;
  }

  /** Connects, and takes the answer. */
  async connect(token: string): Promise<LineClient> {
    this.send({ id: 1, connect: { token } });
    await this.reply(1);
    return this;
  }
}
