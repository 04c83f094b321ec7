import { Injectable } from '@nestjs/common';
import { CentrifugeCodec } from '../codecs/centrifuge/centrifuge-codec.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import type { Codec } from '../ports/codec.js';
import { RealtimeSettings } from '../options/realtime.options.js';

/** The codec of each served path. The path of the upgrade request selects it once and for all. */
@Injectable()
export class ServedCodecs {
  /** By path, without the application's global prefix. */
  readonly byPath: ReadonlyMap<string, Codec>;

  constructor({ path, centrifuge, limits }: RealtimeSettings) {
    const shape = { maxDepth: limits.maxJsonDepth, maxKeys: limits.maxJsonKeys, maxValues: limits.maxJsonValues };
    const byPath = new Map<string, Codec>([[path, new JsonCodec(shape)]]);
    if (centrifuge) byPath.set(centrifuge.path, new CentrifugeCodec(shape));
    this.byPath = byPath;
  }

  /** Each codec once. */
  get all(): readonly Codec[] {
    return [...this.byPath.values()];
  }
}
