import { CLOSE_CODES, ERROR_CODES } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { JSON_ACTIONS, JsonCodec } from '../../../lib/codecs/json/json-codec.js';
import type { Push } from '../../../lib/core/protocol/push.js';
import { PUSHES } from '../../helpers/every-push.js';
import { tableUnder } from '../../helpers/protocol-document.js';

const codec = new JsonCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });

/** The names of a list such as `topic, payload?`: those that must be there, and all of them. */
function fieldsOf(cell: string): { required: string[]; all: string[] } {
  const names = cell === '–' ? [] : cell.split(',').map((name) => name.trim().split(' ')[0]!);
  return {
    required: names.filter((name) => !name.endsWith('?')).sort(),
    all: names.map((name) => name.replace('?', '')).sort(),
  };
}

describe('the table of actions', () => {
  const table = tableUnder('Actions');

  it('names the actions that there are', () => {
    expect(table.map(({ action }) => action)).toEqual(JSON_ACTIONS);
  });

  const POSITION = { epoch: 'e1', offset: 3 };
  const SWITCHES = { reverse: true, presence: true, stream: true };
  const VALUES: Record<string, unknown> = {
    id: 1,
    recover: POSITION,
    since: POSITION,
    limit: 3,
    last: 3,
    maxRateHz: 2,
    ...SWITCHES,
  };
  const value = (field: string): unknown => VALUES[field] ?? 'text';
  /** What a command has where it keeps something else than the client wrote. */
  const READ: Record<string, unknown> = { stream: { id: VALUES['id'] } };

  it.each(table)('names all fields that "$action" needs', ({ action, fields }) => {
    const { required } = fieldsOf(fields!);
    const command = Object.fromEntries(required.map((field) => [field, value(field)]));
    expect(codec.decode(JSON.stringify({ action, ...command }))).toMatchObject({ ok: true, command });
  });

  const required = table.flatMap((row) =>
    fieldsOf(row['fields']!).required.map((field) => ({ action: row['action'], fields: row['fields'], field })),
  );

  it.each(required)('names no field that "$action" could do without: $field', ({ action, fields, field }) => {
    const { all } = fieldsOf(fields!);
    const command = Object.fromEntries(all.filter((other) => other !== field).map((other) => [other, value(other)]));
    expect(codec.decode(JSON.stringify({ action, ...command }))).toMatchObject({
      ok: false,
      error: { code: 'INVALID_MESSAGE', message: expect.stringContaining(field) },
    });
  });

  const optional = table.flatMap((row) => {
    const { all, required: needed } = fieldsOf(row['fields']!);
    return all
      .filter((field) => !needed.includes(field))
      .map((field) => ({ action: row['action'], fields: row['fields'], field }));
  });

  it.each(optional)('names what "$action" may carry: $field', ({ action, fields, field }) => {
    const command = Object.fromEntries(fieldsOf(fields!).all.map((name) => [name, value(name)]));
    expect(codec.decode(JSON.stringify({ action, id: value('id'), ...command }))).toMatchObject({
      command: { [field]: READ[field] ?? value(field) },
    });
  });

  it('names answers that are among the frames', () => {
    const frames = tableUnder('What the server says').map(({ type }) => type);
    for (const row of table) {
      for (const [answer] of row['final answer']!.matchAll(/realtime:\w+/g)) expect(frames).toContain(answer);
    }
  });
});

describe('the table of what the server says', () => {
  const table = tableUnder('What the server says');
  const written = (push: Push) => JSON.parse(codec.encodePush(push, new Date(0).toISOString())) as Record<string, any>;

  it('names the frames that there are', () => {
    expect(table.map(({ type }) => type)).toEqual(Object.keys(PUSHES).map((kind) => `realtime:${kind}`));
  });

  const listed = table.filter(({ type }) => type !== 'realtime:reply');
  const pushesOf = (type: string | undefined) => PUSHES[type!.slice('realtime:'.length) as Push['kind']];

  it.each(listed)('names what is always in the payload of $type', ({ type, payload }) => {
    const [least] = pushesOf(type);
    expect(Object.keys(written(least)['payload'] ?? {}).sort()).toEqual(fieldsOf(payload!).required);
  });

  it.each(listed)('names all that may be in the payload of $type', ({ type, payload }) => {
    const [, most] = pushesOf(type);
    expect(Object.keys(written(most)['payload'] ?? {}).sort()).toEqual(fieldsOf(payload!).all);
  });

  it.each(table)('goes with the text about frames: $type', ({ type }) => {
    const [least, most] = pushesOf(type);
    const known = ['type', 'id', 'payload', 'timestamp'];
    for (const push of [least, most]) expect(known).toEqual(expect.arrayContaining(Object.keys(written(push))));
    expect(written(most)).toMatchObject({ type, timestamp: '1970-01-01T00:00:00.000Z' });
  });
});

describe('the table of errors', () => {
  it('is that of the code', () => {
    const table = tableUnder('Error codes').map((row) => ({
      code: row['code'],
      httpStatus: Number(row['HTTP status']),
      retryable: row['retryable'] === 'yes',
      meaning: row['meaning'],
    }));
    const codes = Object.entries(ERROR_CODES).map(([code, { httpStatus, retryable, meaning }]) => ({
      code,
      httpStatus,
      retryable,
      meaning: meaning.replaceAll('`', ''),
    }));
    expect(table).toEqual(codes);
  });
});

describe('the table of close codes', () => {
  const table = tableUnder('Close codes').map(({ code, reconnect, reason }) => ({
    code: Number(code),
    reconnect: reconnect === 'yes',
    reason,
  }));

  it('is that of the code', () => {
    expect(table).toEqual(Object.values(CLOSE_CODES));
  });

  it.each(table)('goes with the rule about reconnecting: $code', ({ code, reconnect }) => {
    expect(reconnect).toBe(code < 3500);
  });
});
