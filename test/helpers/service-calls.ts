import { all, connection, role, topic, user, type RealtimeService } from 'nestjs-realtime';

const NEWS = { type: 'news' };
const SOMEBODY = 'node.somebody';

/** A call of every method of the service that sends, asks or gives an order. Topics begin with `room:`. */
export const SERVICE_CALLS: readonly (readonly [
  method: string,
  call: (realtime: RealtimeService) => Promise<unknown>,
])[] = [
  ['sendToUser', (realtime) => realtime.sendToUser('ann', NEWS)],
  ['sendToRole', (realtime) => realtime.sendToRole('admin', NEWS)],
  ['sendToConnection', (realtime) => realtime.sendToConnection(SOMEBODY, NEWS)],
  ['sendToConnection, of an id that no node can have given out', (realtime) => realtime.sendToConnection('x', NEWS)],
  ['broadcast', (realtime) => realtime.broadcast(NEWS)],
  ['publish', (realtime) => realtime.publish('news', NEWS)],
  ['publish, where a history is kept', (realtime) => realtime.publish('room:1', NEWS)],
  ['to().send', (realtime) => realtime.to(user('ann'), role('admin'), topic('news')).send(NEWS)],
  ['to().send, to no address', (realtime) => realtime.to().send(NEWS)],
  ['history', (realtime) => realtime.history('room:1')],
  ['stream', (realtime) => realtime.stream('room:1', async function* () {})],
  ['stopStream', (realtime) => realtime.stopStream('room:1', 'answer')],
  ['subscribe', (realtime) => realtime.subscribe(SOMEBODY, 'room:1')],
  ['unsubscribe', (realtime) => realtime.unsubscribe(SOMEBODY, 'room:1')],
  ['disconnect', (realtime) => realtime.disconnect(all())],
  ['revalidate', (realtime) => realtime.revalidate(connection(SOMEBODY))],
  ['changeRights', (realtime) => realtime.changeRights(user('ann'), { roles: [] })],
  ['updateMetadata', (realtime) => realtime.updateMetadata(user('ann'), { plan: 'gold' })],
  ['connectionsOf', (realtime) => realtime.connectionsOf('ann')],
  ['connection', (realtime) => realtime.connection(SOMEBODY)],
  ['topicsOf', (realtime) => realtime.topicsOf(SOMEBODY)],
  ['subscribersOf', (realtime) => realtime.subscribersOf('room:1')],
  ['usersIn', (realtime) => realtime.usersIn('room:1')],
  ['updatePresence', (realtime) => realtime.updatePresence('room:1', 'ann', { status: 'busy' })],
  ['isOnline', (realtime) => realtime.isOnline('ann')],
  ['nodes', (realtime) => realtime.nodes()],
  ['counts', (realtime) => realtime.counts()],
];
