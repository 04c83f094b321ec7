import { type MessageInput, type RealtimeService } from 'nestjs-realtime';

/*
 * Code that the type checker must accept, and code that it must refuse (each line under an @ts-expect-error). Nothing runs here.
 */

declare module 'nestjs-realtime' {
  interface RealtimeMessages {
    'types.ticket': { readonly id: string; readonly price: number };
    'types.note': string | undefined;
  }
}

declare const realtime: RealtimeService;

/** A declared type takes its own payload, in every kind of send. */
export const allowed = [
  realtime.sendToUser('ann', { type: 'types.ticket', payload: { id: 't-1', price: 7 } }),
  realtime.sendToRole('staff', { type: 'types.ticket', payload: { id: 't-1', price: 7 } }),
  realtime.sendToConnection('n.c', { type: 'types.ticket', payload: { id: 't-1', price: 7 } }),
  realtime.broadcast({ type: 'types.note', payload: 'hello', timestamp: '2026-01-31T12:00:00.000Z' }),
  realtime.broadcast({ type: 'types.note', payload: undefined }),
  realtime.publish('feed', { type: 'types.ticket', payload: { id: 't-1', price: 7 } }, { report: false }),
  realtime.to({ kind: 'all' }).except({ kind: 'user', id: 'ann' }).send({ type: 'types.note', payload: 'hello' }),
  // An undeclared type may carry any payload.
  realtime.broadcast({ type: 'types.undeclared' }),
  realtime.broadcast({ type: 'types.undeclared', payload: { anything: [1, null] } }),
  // So may one that is known only when it runs.
  realtime.broadcast<string>({ type: 'types.ticket', payload: 7 }),
];

export const refused = [
  // @ts-expect-error -- the payload is missing
  realtime.broadcast({ type: 'types.ticket' }),
  // @ts-expect-error -- a field is missing
  realtime.sendToUser('ann', { type: 'types.ticket', payload: { id: 't-1' } }),
  // @ts-expect-error -- a field has another type
  realtime.sendToRole('staff', { type: 'types.ticket', payload: { id: 't-1', price: '7' } }),
  // @ts-expect-error -- an undeclared field
  realtime.publish('feed', { type: 'types.ticket', payload: { id: 't-1', price: 7, vat: 1 } }),
  // @ts-expect-error -- the payload of another type
  realtime.to({ kind: 'all' }).send({ type: 'types.note', payload: { id: 't-1', price: 7 } }),
  // @ts-expect-error -- a message needs a type
  realtime.broadcast({ payload: 1 }),
  // @ts-expect-error -- a message has no such field
  realtime.broadcast({ type: 'types.undeclared', topic: 'feed' }),
  // @ts-expect-error -- an address is made by user(), role(), connection(), topic() or all()
  realtime.to('ann'),
];

/** A message can be made before it is sent. */
export const ticket: MessageInput<'types.ticket'> = { type: 'types.ticket', payload: { id: 't-1', price: 7 } };
export const sentTicket = realtime.broadcast(ticket);

// @ts-expect-error -- what is declared holds there, too
export const badTicket: MessageInput<'types.ticket'> = { type: 'types.ticket', payload: 7 };

declare module 'nestjs-realtime' {
  interface RealtimeConnectionState {
    cursor?: { readonly x: number };
  }
}

declare const connection: import('nestjs-realtime').RealtimeConnection;

/** The state has the fields that were declared. */
export const cursorX: number | undefined = connection.state.cursor?.x;

// @ts-expect-error -- not declared
export const unknownField: unknown = connection.state.colour;
