import { isClaims, isExpired, type JwtClaims } from '../identity/claims.js';

/** The topic and user that a topic token must name. */
export interface TopicTokenUse {
  readonly topic: string;
  readonly userId: string;
  /** Tolerated clock difference, in seconds. */
  readonly toleranceS: number;
}

/** The verdict on a topic token. */
export type TopicTokenVerdict =
  | 'good'
  /** The token matches but has expired. */
  | 'expired'
  /** The token is for another topic or user, or is not a topic token. */
  | 'foreign';

/**
 * Checks the verified claims of a topic token, which opens one topic to one user: `channel` names the topic, `sub` the
 * user, and `exp` is required. A connection token has no `channel`, so it opens no topic.
 */
export function judgeTopicToken(
  claims: JwtClaims,
  { topic, userId, toleranceS }: TopicTokenUse,
  now: Date,
): TopicTokenVerdict {
  if (!isClaims(claims) || claims['channel'] !== topic || claims.sub !== userId) return 'foreign';
  return isExpired(claims, now, toleranceS) ? 'expired' : 'good';
}
