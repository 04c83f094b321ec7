import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';

const LARGE = 'again and again, '.repeat(500);

async function listenWith(options: RealtimeOptions): Promise<ListeningApp> {
  return listen({ imports: [RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] })] });
}

/** A client that offers compression, or does not, and keeps what it reads. */
class Reader {
  readonly payloads: unknown[] = [];

  private constructor(readonly ws: WebSocket) {
    ws.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as { type: string; payload: unknown };
      if (!type.startsWith('realtime:')) this.payloads.push(payload);
    });
  }

  static async connect(app: ListeningApp, options: ClientOptions): Promise<Reader> {
    const url = `${app.url.replace('http', 'ws')}/ws?token=${testToken('ann')}`;
    const reader = new Reader(new WebSocket(url, options));
    await once(reader.ws, 'message');
    return reader;
  }

  /** How many bytes have come in, for what was sent meanwhile. */
  async bytesOf(send: () => Promise<unknown>): Promise<number> {
    const socket = (this.ws as unknown as { _socket: Socket })._socket;
    const before = socket.bytesRead;
    const arrival = once(this.ws, 'message');
    await send();
    await arrival;
    return socket.bytesRead - before;
  }
}

describe('Compression', () => {
  it('is not agreed on by default, though a client offers it', async () => {
    const { ws } = await Reader.connect(await listenWith({}), { perMessageDeflate: true });
    expect(ws.extensions).toBe('');
  });

  it('makes a large message smaller for a client that offers it', async () => {
    const app = await listenWith({ compression: true });
    const reader = await Reader.connect(app, { perMessageDeflate: true });
    const bytes = await reader.bytesOf(() => app.realtime.broadcast({ type: 'note', payload: LARGE }));
    expect(reader.payloads).toEqual([LARGE]);
    expect(bytes).toBeLessThan(LARGE.length / 10);
  });

  it('leaves a message as it is that is shorter than the option says', async () => {
    const app = await listenWith({ compression: { minLength: 100_000 } });
    const reader = await Reader.connect(app, { perMessageDeflate: true });
    const bytes = await reader.bytesOf(() => app.realtime.broadcast({ type: 'note', payload: LARGE }));
    expect(bytes).toBeGreaterThan(LARGE.length);
  });

  it('is not forced on a client that does not offer it', async () => {
    const app = await listenWith({ compression: true });
    const reader = await Reader.connect(app, { perMessageDeflate: false });
    const bytes = await reader.bytesOf(() => app.realtime.broadcast({ type: 'note', payload: LARGE }));
    expect(reader.payloads).toEqual([LARGE]);
    expect(bytes).toBeGreaterThan(LARGE.length);
  });

  it('is not agreed on with a client that wants a smaller window', async () => {
    const app = await listenWith({ compression: true });
    const { ws } = await Reader.connect(app, { perMessageDeflate: { serverMaxWindowBits: 10 } });
    expect(ws.extensions).toBe('');
  });

  it.each([
    ['permessage-deflate; server_max_window_bits=10, x-other', ''],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
  ])('is agreed on with a client that offers %j as %j', async (offers, agreed) => {
    const app = await listenWith({ compression: true });
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest(`/ws?token=${testToken('ann')}`, { 'Sec-WebSocket-Extensions': offers }));
    const answer = await client.heard('\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(/^Sec-WebSocket-Extensions: ([^;\r]*)/m.exec(answer)?.[1] ?? '').toBe(agreed);
  });

  it('lets no message overtake another, large or small, for clients of both kinds', async () => {
    const app = await listenWith({ compression: true });
    const readers = await Promise.all([true, false].map((offer) => Reader.connect(app, { perMessageDeflate: offer })));
    const sent = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? `${i} ${LARGE}` : `${i}`));
    for (const payload of sent) await app.realtime.broadcast({ type: 'note', payload });
    for (const { ws, payloads } of readers) while (payloads.length < sent.length) await once(ws, 'message');
    expect(readers.map(({ payloads }) => payloads)).toEqual([sent, sent]);
  });

  it('is understood from a client as well', async () => {
    const app = await listenWith({ compression: true });
    const { ws } = await Reader.connect(app, { perMessageDeflate: { threshold: 0 } });
    const answer = once(ws, 'message');
    ws.send(JSON.stringify({ action: 'ping', id: LARGE.slice(0, 60) }));
    const [data] = (await answer) as [Buffer];
    expect(JSON.parse(data.toString())).toMatchObject({ type: 'realtime:pong', id: LARGE.slice(0, 60) });
  });

  it('does not let a small frame become more than a client may send', async () => {
    const app = await listenWith({ compression: true, limits: { maxMessageBytes: 10_000 } });
    const { ws } = await Reader.connect(app, { perMessageDeflate: { threshold: 0 } });
    const closed = once(ws, 'close');
    ws.send('x'.repeat(5_000_000));
    expect((await closed)[0]).toBe(1009);
  });
});
