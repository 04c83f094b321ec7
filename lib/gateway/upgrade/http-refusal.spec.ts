import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../core/protocol/error-code.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { refuse } from './http-refusal.js';

/** Refuses, and returns the response as sent over the wire. */
async function answerTo(refusal: Refusal) {
  const chunks: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  refuse(socket, refusal);
  await closed;
  const text = Buffer.concat(chunks).toString();
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [status, ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(': ')));
  return { status, headers, body, json: JSON.parse(body) as unknown };
}

describe('a refused upgrade', () => {
  it('is answered with the status and its name', async () => {
    expect((await answerTo(refusalOf('FORBIDDEN', 'No.'))).status).toBe('HTTP/1.1 403 Forbidden');
  });

  it('is answered in the shape of a Nest error', async () => {
    expect((await answerTo(refusalOf('UNAUTHENTICATED', 'No token.'))).json).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      code: 'UNAUTHENTICATED',
      message: 'No token.',
    });
  });

  it('is answered without a code if the refusal has none', async () => {
    expect((await answerTo({ status: 404, message: 'Nothing here.' })).json).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'Nothing here.',
    });
  });

  it('has the length of the body in bytes', async () => {
    const { headers, body } = await answerTo({ status: 404, message: 'größe 💥' });
    expect(Number(headers['Content-Length'])).toBe(Buffer.byteLength(body));
  });

  it('is JSON, and the last answer on the socket', async () => {
    expect((await answerTo(refusalOf('FORBIDDEN', 'No.'))).headers).toMatchObject({
      'Content-Type': 'application/json; charset=utf-8',
      Connection: 'close',
    });
  });

  it('has Retry-After in seconds', async () => {
    expect((await answerTo(refusalOf('UNAVAILABLE', 'Later.', 3))).headers).toHaveProperty('Retry-After', '3');
  });

  it('has WWW-Authenticate if the status is 401', async () => {
    expect((await answerTo(refusalOf('UNAUTHENTICATED', 'No.'))).headers).toHaveProperty('WWW-Authenticate', 'Bearer');
  });

  it.each(['Retry-After', 'WWW-Authenticate'])('has no %s otherwise', async (header) => {
    expect((await answerTo(refusalOf('FORBIDDEN', 'No.'))).headers).not.toHaveProperty(header);
  });

  it('destroys its socket even if the peer never ends its side', async () => {
    await expect(answerTo(refusalOf('FORBIDDEN', 'No.'))).resolves.toBeDefined();
  });
});

it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s is refused with its own HTTP status', (code) => {
  expect(refusalOf(code, 'No.')).toEqual({ status: ERROR_CODES[code].httpStatus, code, message: 'No.' });
});
