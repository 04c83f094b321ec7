import { isClaims, isExpired, type JwtClaims } from '../identity/claims.js';

/** What a token for a topic has to be about. */
export interface TopicTokenUse {
  readonly topic: string;
  readonly userId: string;
  /** Seconds that clocks may differ by. */
  readonly toleranceS: number;
}

/** What became of a token for a topic. */
export type TopicTokenVerdict =
  | 'good'
  /** It was good once. */
  | 'expired'
  /** It is for another topic or another user, or no token for a topic at all. */
  | 'foreign';

/**
 * Judges the verified claims of a token that opens one topic to one user: `channel` names the topic, `sub` the user, and
 * `exp` is required. A token to connect with has no `channel`, and so opens no topic.
 */
export function judgeTopicToken(
  claims: JwtClaims,
  { topic, userId, toleranceS }: TopicTokenUse,
  now: Date,
): TopicTokenVerdict {
  if (!isClaims(claims) || claims['channel'] !== topic || claims.sub !== userId) return 'foreign';
  return isExpired(claims, now, toleranceS) ? 'expired' : 'good';
}
