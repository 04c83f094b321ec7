/** Topic names of applications and clients cannot begin with `#`, so they never collide with these prefixes. */
const PERSONAL = '#user:';
const ONLINE = '#online:';
const STREAM = '#stream:';

/** Returns the personal topic of a user. It keeps the messages sent to the user, so that clients can recover them. */
export function personalTopic(userId: string): string {
  return PERSONAL + userId;
}

/** Returns the user whose personal topic this is; `undefined` for any other topic. */
export function userOfPersonalTopic(topic: string): string | undefined {
  return withoutPrefix(topic, PERSONAL);
}

/** Returns the topic that a user is in while connected. Joining it means coming online, leaving it going offline. */
export function onlineTopic(userId: string): string {
  return ONLINE + userId;
}

/** Returns the user whose online topic this is; `undefined` for any other topic. */
export function userOfOnlineTopic(topic: string): string | undefined {
  return withoutPrefix(topic, ONLINE);
}

/**
 * Returns the topic of a published stream: whichever node runs it has the stream's id in it, in place of a user. One for each
 * stream, so that looking one up reads no others.
 */
export function streamTopic(topic: string, id: string): string {
  return `${STREAM}${topic} ${id}`;
}

/** Returns the topic in which the stream of this topic runs; `undefined` for any other topic. */
export function topicOfStream(topic: string): string | undefined {
  return withoutPrefix(topic, STREAM)?.split(' ', 1)[0];
}

function withoutPrefix(topic: string, prefix: string): string | undefined {
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}
