import { describe, expect, it } from 'vitest';
import { commandFrame } from '../../test/helpers/protobuf-lines.js';
import { CentrifugeCodec } from '../codecs/centrifuge/centrifuge-codec.js';
import { CentrifugeProtobufCodec } from '../codecs/centrifuge/centrifuge-protobuf-codec.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import type { Codec } from '../ports/codec.js';
import type { FramePayload } from '../ports/frame.js';
import { RealtimeSettings, type RealtimeOptions } from '../options/realtime.options.js';
import { ServedCodecs } from './served-codecs.js';

const served = (options: RealtimeOptions = {}) => new ServedCodecs(new RealtimeSettings(options));

/** The codec classes of each path. */
const spoken = ({ byPath }: ServedCodecs) =>
  [...byPath].map(([path, codecs]) => [path, ...codecs.map((codec) => codec.constructor)]);

describe('what is spoken', () => {
  it('is the plain protocol alone, unless told otherwise', () => {
    expect(spoken(served())).toEqual([['/ws', JsonCodec]]);
    expect(spoken(served({ centrifuge: false }))).toEqual([['/ws', JsonCodec]]);
  });

  it('is another one below the path of the first', () => {
    expect(spoken(served({ path: '/live', centrifuge: true }))).toEqual([
      ['/live', JsonCodec],
      ['/live/connection/websocket', CentrifugeCodec, CentrifugeProtobufCodec],
    ]);
  });

  it('is another one at a path of its own', () => {
    expect(spoken(served({ centrifuge: { path: '/sdk' } }))).toEqual([
      ['/ws', JsonCodec],
      ['/sdk', CentrifugeCodec, CentrifugeProtobufCodec],
    ]);
  });

  it('is found by the whole path, and by nothing that only looks like it', () => {
    const { byPath } = served({ centrifuge: true });
    for (const path of [
      '',
      '/',
      '/WS',
      '/ws/',
      '/ws/connection',
      '/ws/connection/websocket/',
      '__proto__',
      'constructor',
    ])
      expect(byPath.get(path)).toBeUndefined();
  });

  it('is listed once for each protocol', () => {
    const { all, byPath } = served({ centrifuge: true });
    expect(all).toEqual([...byPath.values()].flat());
    expect(new Set(all.map(({ name }) => name)).size).toBe(3);
  });
});

describe('the limits of JSON', () => {
  const limits = { maxJsonDepth: 4, maxJsonKeys: 5 };
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
  const keyed = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));

  const call = (payload: unknown) => ({ id: 1, rpc: { method: 'x', data: { topic: 't', payload } } });

  /** A message with this payload, as clients of each protocol send it. */
  const framed: Record<string, (payload: unknown) => FramePayload> = {
    JsonCodec: (payload) => JSON.stringify({ action: 'message', topic: 't', type: 'x', payload }),
    CentrifugeCodec: (payload) => JSON.stringify(call(payload)),
    CentrifugeProtobufCodec: (payload) => commandFrame(call(payload)),
  };

  function outcomeOf(codec: Codec, payload: unknown): string {
    const decoded = codec.decode(framed[codec.constructor.name]!(payload));
    if ('batch' in decoded) return 'a batch';
    return decoded.ok ? 'taken' : decoded.error.code;
  }

  it('hold in every protocol', () => {
    const { all } = served({ centrifuge: true, limits });
    const outcomes = all.flatMap((codec) => [outcomeOf(codec, nested(5)), outcomeOf(codec, keyed(6))]);
    expect(outcomes).toEqual(Array(6).fill('LIMIT_EXCEEDED'));
  });

  it('are those that the application has set', () => {
    const { all } = served({ centrifuge: true, limits: { maxJsonDepth: 40, maxJsonKeys: 50 } });
    const outcomes = all.flatMap((codec) => [outcomeOf(codec, nested(5)), outcomeOf(codec, keyed(6))]);
    expect(outcomes).toEqual(Array(6).fill('taken'));
  });
});
