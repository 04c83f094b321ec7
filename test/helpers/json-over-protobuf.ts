import type { Centrifuge } from 'centrifuge';
import * as protobufBuild from 'centrifuge/build/protobuf';

/** The codec of the SDK's Protobuf form, whose `data` is bytes. */
interface SdkCodec {
  encodeCommands(commands: readonly Tree[]): Uint8Array;
  decodeReplies(data: ArrayBuffer): Tree[];
  applyDeltaIfNeeded(publication: Tree): object;
}

// oxlint-disable-next-line typescript/no-explicit-any -- messages of any type
type Tree = Record<string, any>;

/** The fields of type `bytes`. */
const DATA = new Set(['data', 'conn_info', 'chan_info']);

/**
 * The real SDK in its Protobuf form, for an application whose data is JSON: `data` is converted from and to JSON text, as an
 * application would, and everything else is the SDK's.
 */
// Its types are those of the JSON form, but of another class.
export const JsonOverProtobuf = class extends protobufBuild.Centrifuge {
  _formatOverride(): void {
    // The SDK calls this in its constructor.
    (protobufBuild.Centrifuge.prototype as unknown as { _formatOverride(): void })._formatOverride.call(this);
    const own = this as unknown as { _codec: SdkCodec };
    own._codec = withJson(own._codec);
  }
} as unknown as typeof Centrifuge;

function withJson(codec: SdkCodec): SdkCodec {
  const encodeCommands = codec.encodeCommands.bind(codec);
  const decodeReplies = codec.decodeReplies.bind(codec);
  return Object.assign(codec, {
    encodeCommands: (commands: readonly Tree[]) => encodeCommands(commands.map((command) => withBytes(command))),
    decodeReplies: (data: ArrayBuffer) => decodeReplies(data).map(withoutBytes),
    applyDeltaIfNeeded: ({ data }: Tree) => ({ newData: data, newPrevValue: data, isDelta: false }),
  });
}

/** Commands hold data one level deep. */
function withBytes(command: Tree): Tree {
  const requests = Object.entries(command).map(([method, request]: [string, Tree | number]) => {
    if (typeof request !== 'object' || request['data'] === undefined) return [method, request];
    return [method, { ...request, data: Buffer.from(JSON.stringify(request['data'])) }];
  });
  return Object.fromEntries(requests) as Tree;
}

function withoutBytes(message: Tree): Tree {
  for (const [name, value] of Object.entries(message)) {
    if (DATA.has(name)) message[name] = JSON.parse(Buffer.from(value as Uint8Array).toString());
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) withoutBytes(value as Tree);
  }
  // Missing data is an empty array on the prototype.
  for (const name of DATA) if (name in message && !Object.hasOwn(message, name)) message[name] = undefined;
  return message;
}
