import { Injectable } from '@nestjs/common';
import { CentrifugeCodec } from '../codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../codecs/centrifuge/centrifuge-protobuf-codec.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import type { Codec } from '../ports/codec.js';
import { RealtimeSettings } from '../options/realtime.options.js';

/** The codecs of one path: the default, and others that a request has to ask for. */
export type PathCodecs = readonly [Codec, ...Codec[]];

/** The codecs of each served path. The upgrade request selects one once and for all. */
@Injectable()
export class ServedCodecs {
  /** By path, without the application's global prefix. */
  readonly byPath: ReadonlyMap<string, PathCodecs>;

  constructor({ path, centrifuge, limits }: RealtimeSettings) {
    const shape = { maxDepth: limits.maxJsonDepth, maxKeys: limits.maxJsonKeys, maxValues: limits.maxJsonValues };
    const byPath = new Map<string, PathCodecs>([[path, [new JsonCodec(shape)]]]);
    if (centrifuge) byPath.set(centrifuge.path, [new CentrifugeCodec(shape), new CentrifugeProtobufCodec(shape)]);
    this.byPath = byPath;
  }

  /** Each codec once. */
  get all(): readonly Codec[] {
    return [...this.byPath.values()].flat();
  }
}
