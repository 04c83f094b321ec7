import { personalTopic, userOfPersonalTopic } from '../topic/reserved-topic.js';
import { topic as topicAddress, user, type Address } from './address.js';

/** The address that the publications of a topic go to: its subscribers; the user, for a personal topic. */
export function addressOfTopic(topic: string): Address {
  const userId = userOfPersonalTopic(topic);
  return userId === undefined ? topicAddress(topic) : user(userId);
}

/** The topic whose history may keep what is sent to an address; `undefined` for addresses without one. */
export function topicOfAddress(address: Address): string | undefined {
  switch (address.kind) {
    case 'topic':
      return address.id;
    case 'user':
      return personalTopic(address.id);
    case 'role':
    case 'connection':
    case 'all':
      return undefined;
  }
}
