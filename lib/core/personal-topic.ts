import { topic as topicAddress, user, type Address } from './address.js';

/** No topic of an application begins like this, and no client can name one that does. */
const PREFIX = '#user:';

/** The topic of what is sent to a user: so that it can be kept, and recovered, like what is published to any other. */
export function personalTopic(userId: string): string {
  return PREFIX + userId;
}

/** Whose such a topic is; `undefined` for a topic of the application. */
export function userOfPersonalTopic(topic: string): string | undefined {
  return topic.startsWith(PREFIX) ? topic.slice(PREFIX.length) : undefined;
}

/** Where the publications of a topic go: to its subscribers, or, when it is a user's own, to that user. */
export function addressOfTopic(topic: string): Address {
  const userId = userOfPersonalTopic(topic);
  return userId === undefined ? topicAddress(topic) : user(userId);
}

/** The topic whose history may keep what is sent to an address: the other way round. */
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
