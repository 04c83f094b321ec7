/** Applications and clients cannot use names that begin with `#`, so neither prefix collides with a topic of theirs. */
const PERSONAL = '#user:';
const ONLINE = '#online:';

/** The topic in which messages to a user are kept and recovered, like those published to any other topic. */
export function personalTopic(userId: string): string {
  return PERSONAL + userId;
}

/** The user whose personal topic this is; `undefined` for a topic of the application. */
export function userOfPersonalTopic(topic: string): string | undefined {
  return withoutPrefix(topic, PERSONAL);
}

/** The topic that a user is in while connected at all: coming online and going offline are its join and leave. */
export function onlineTopic(userId: string): string {
  return ONLINE + userId;
}

/** The user whose online topic this is; `undefined` for a topic of the application. */
export function userOfOnlineTopic(topic: string): string | undefined {
  return withoutPrefix(topic, ONLINE);
}

function withoutPrefix(topic: string, prefix: string): string | undefined {
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}
