/**
 * The shape that topics of one kind share: the first segment, with its digits replaced, and the number of the others.
 * `order:42:items` and `order:7:notes` are both `order:*:*`.
 */
export function topicShape(topic: string): string {
  const [head = '', ...others] = topic.split(':');
  return [head.replaceAll(/\d+/g, '*'), ...others.map(() => '*')].join(':');
}
