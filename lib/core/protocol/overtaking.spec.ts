import { describe, expect, it } from 'vitest';
import type { Command } from './command.js';
import { isCompact, overtakes } from './overtaking.js';

const topic = 'chat:1';
const commands: Readonly<Record<Command['action'], Command>> = {
  subscribe: { action: 'subscribe', topic },
  unsubscribe: { action: 'unsubscribe', topic },
  message: { action: 'message', topic, type: 'say' },
  history: { action: 'history', topic },
  cancel: { action: 'cancel', id: 1 },
  presence: { action: 'presence', topic },
  auth: { action: 'auth', token: 't' },
  ping: { action: 'ping' },
  pong: { action: 'pong' },
};
const chosen = (choose: typeof overtakes) =>
  Object.values(commands)
    .filter((command) => choose({ ok: true, command }))
    .map(({ action }) => action);

const wrong = { ok: false, error: { code: 'INVALID_MESSAGE', message: '' } } as const;

describe('the commands that overtake those of a crowd', () => {
  it('are those that concern one client alone', () => {
    expect(chosen(overtakes)).toEqual(['message', 'cancel', 'ping', 'pong']);
  });

  it('are correct ones', () => {
    expect(overtakes(wrong)).toBe(false);
  });
});

describe('the commands that wait decoded', () => {
  it('are those that a crowd sends all at once', () => {
    expect(chosen(isCompact)).toEqual(['subscribe', 'unsubscribe']);
  });

  it('include what is wrong, which has no payload', () => {
    expect(isCompact(wrong)).toBe(true);
  });

  it('have no payload, which may take much memory', () => {
    const command = { ...commands.subscribe, payload: [] } as Command;
    expect(isCompact({ ok: true, command })).toBe(false);
  });
});
