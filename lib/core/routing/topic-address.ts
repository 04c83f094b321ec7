import { personalTopic, userOfPersonalTopic } from '../topic/reserved-topic.js';
import { topic as topicAddress, user, type Address } from './address.js';

/** Returns the address of a topic's publications: the topic, or the user of a personal topic. */
export function addressOfTopic(topic: string): Address {
  const userId = userOfPersonalTopic(topic);
  return userId === undefined ? topicAddress(topic) : user(userId);
}

/** Returns the topic whose history may keep messages to this address; `undefined` if there is none. */
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
