import { describe, expect, it } from 'vitest';
import { all, connection, role, user } from './address.js';
import { addressed, broadcastMessage, connectionMessage, roleMessage, userMessage } from './envelope.js';

const message = { type: 'note', payload: 1 };

describe('an addressed message', () => {
  it.each([
    ['everybody', broadcastMessage(message), all()],
    ['a user', userMessage('42', message), user('42')],
    ['a role', roleMessage('admin', message), role('admin')],
    ['a connection', connectionMessage('n.1', message), connection('n.1')],
  ])('goes to %s, with no exception', (_, made, address) => {
    expect(made).toEqual({ to: [address], except: [], message });
  });

  it('goes to several addresses with exceptions', () => {
    const to = [user('1'), role('a')];
    const except = [connection('n.1')];
    expect(addressed(message, to, except)).toEqual({ to, except, message });
  });
});
