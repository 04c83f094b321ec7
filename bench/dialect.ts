import type { Handler } from './workload.js';

/**
 * How clients of a server speak, as texts in which `{token}`, `{topic}` and `{ts}` are filled in. The generator knows
 * WebSockets, and responses over HTTP/1.1; everything above that stands here.
 */
export interface Dialect {
  /** Each text is the path of a `GET`; its response is read as it comes, and there are no WebSockets. */
  readonly isHttp?: boolean;
  readonly path: string;
  /** What clients say is converted from JSON into commands of the Protobuf form; what they hear stands here as it comes. */
  readonly isProtobuf?: true;
  /** The first frame of a client. */
  readonly opening?: string;
  /** The reply to the first frame that contains a text, as socket.io requires it. */
  readonly greeting?: { readonly heard: string; readonly said: string };
  /** Stands in the frame that tells a client that it is in; without it a client is in when the WebSocket is open. */
  readonly welcome?: string;
  readonly subscribe: string;
  /** Stands in the acknowledgement of a subscription. */
  readonly subscribed: string;
  /** The call of a handler. Its answer must contain `"ts":` with the same number. Left out: not measured. */
  readonly ask?: Partial<Readonly<Record<Handler, string>>>;
  /** The call of a handler that answers with a stream of items. Left out: not measured. */
  readonly stream?: string;
  /** How clients ask for what they have missed, and for who is in a topic; `{epoch}` and `{offset}` are filled in. */
  readonly features?: Readonly<Record<'recover' | 'watch' | 'leave', string>>;
  /** A frame that must be answered for the connection to stay, as socket.io wants it. */
  readonly heartbeat?: { readonly heard: string; readonly said: string };
}

/** The payload of messages besides their time; with it, a message as JSON has about 150 bytes. */
export const TEXT = 'the harbour master counts the boats in the bay at dusk, every one of them';

const asked = `{"ts":{ts},"text":"${TEXT}"}`;

/** `{event, data}`, which Nest's `WsAdapter` speaks. */
export const EVENTS: Dialect = {
  path: '/ws?token={token}',
  subscribe: '{"event":"subscribe","data":{"topic":"{topic}"}}',
  subscribed: '"subscribed"',
  ask: { plain: `{"event":"plain","data":${asked}}`, checked: `{"event":"checked","data":${asked}}` },
};

/** socket.io 4 over Engine.IO 4, without polling. */
export const SOCKET_IO: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket&token={token}',
  greeting: { heard: '0{', said: '40' },
  welcome: '40{',
  subscribe: '42["subscribe",{"topic":"{topic}"}]',
  subscribed: '"subscribed"',
  // 7 is the number of the acknowledgement that the answer comes in.
  ask: { plain: `427["plain",${asked}]`, checked: `427["checked",${asked}]` },
  stream: '42["items"]',
  heartbeat: { heard: '2', said: '3' },
};

/** The plain protocol of docs/reference/protocol.md. */
export const REALTIME: Dialect = {
  path: '/ws?token={token}',
  welcome: '"realtime:welcome"',
  subscribe: '{"action":"subscribe","id":1,"topic":"{topic}"}',
  subscribed: '"realtime:subscribed"',
  ask: {
    plain: `{"action":"message","id":1,"topic":"desk:1","type":"plain","payload":${asked}}`,
    checked: `{"action":"message","id":1,"topic":"desk:1","type":"checked","payload":${asked}}`,
  },
  stream: '{"action":"message","id":1,"topic":"desk:1","type":"items"}',
  features: {
    recover: '{"action":"subscribe","id":1,"topic":"{topic}","recover":{"epoch":"{epoch}","offset":{offset}}}',
    watch: '{"action":"subscribe","id":1,"topic":"{topic}","presence":true}',
    leave: '{"action":"unsubscribe","id":1,"topic":"{topic}"}',
  },
};

/** The JSON form of the Centrifuge client protocol: the token comes in the first command. */
export const CENTRIFUGE: Dialect = {
  path: '/ws/connection/websocket',
  opening: '{"id":1,"connect":{"token":"{token}"}}',
  welcome: '"connect"',
  subscribe: '{"id":2,"subscribe":{"channel":"{topic}"}}',
  subscribed: '"subscribe"',
  heartbeat: { heard: '{}', said: '{}' },
};

/** Server-sent events over HTTP/1.1 with keep-alive. */
export const SERVER_SENT_EVENTS: Dialect = {
  isHttp: true,
  path: '',
  subscribe: '/topics/{topic}',
  subscribed: 'HTTP/1.1 200',
  stream: '/items',
};

/** The Protobuf form: an answer begins with its id (tag 8) and the tag of its method. */
export const CENTRIFUGE_PROTOBUF: Dialect = {
  ...CENTRIFUGE,
  path: `${CENTRIFUGE.path}?cf_protocol=protobuf`,
  isProtobuf: true,
  welcome: '\u0008\u0001*',
  subscribed: '\u0008\u00022',
  heartbeat: { heard: '\u0000', said: '{}' },
};
