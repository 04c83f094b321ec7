import { createHmac } from 'node:crypto';

const HEADER = encoded({ alg: 'HS256', typ: 'JWT' });

/** A token for a user, good for an hour. */
export function tokenFor(userId: string, secret: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const text = `${HEADER}.${encoded({ sub: userId, roles: ['member'], exp })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
