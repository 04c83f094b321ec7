/** Topic names of applications and clients cannot begin with `#`, so they never collide with these prefixes. */
const PERSONAL = '#user:';
const ONLINE = '#online:';
const STREAMS = '#streams:';

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

/** Returns the topic whose members are the published streams that run in a topic: in place of users, their ids. */
export function streamsTopic(topic: string): string {
  return STREAMS + topic;
}

/** Returns the topic whose streams these are; `undefined` for any other topic. */
export function topicOfStreams(topic: string): string | undefined {
  return withoutPrefix(topic, STREAMS);
}

function withoutPrefix(topic: string, prefix: string): string | undefined {
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}
