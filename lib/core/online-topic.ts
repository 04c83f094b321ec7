/** No topic of an application begins like this. */
const PREFIX = '#online:';

/** The topic that a user is in while connected at all: so that coming online and going offline are a join and a leave. */
export function onlineTopic(userId: string): string {
  return PREFIX + userId;
}

/** Whose such a topic is; `undefined` for a topic of the application. */
export function userOfOnlineTopic(topic: string): string | undefined {
  return topic.startsWith(PREFIX) ? topic.slice(PREFIX.length) : undefined;
}
