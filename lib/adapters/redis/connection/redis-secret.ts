import type { Problem } from '../../../core/base/problem.js';

/** As many characters as the hash has bytes. */
const MIN_LENGTH = 32;

/** All problems with the option `secret`, each with its cure. No secret is quoted. */
export function explainSecret(value: unknown): Problem[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ at: 'secret', message: 'must be an object like { sign: process.env.REALTIME_SECRET, accept: [] }' }];
  }
  const { sign, accept, acceptUnsigned, ...others } = value as Record<string, unknown>;
  const problems = Object.keys(others).map((name) => ({
    at: `secret.${name}`,
    message: 'is not an option; the options here are: sign, accept, acceptUnsigned',
  }));
  if (!isSecret(sign)) problems.push({ at: 'secret.sign', message: TOO_SHORT });
  if (accept !== undefined && !(Array.isArray(accept) && accept.every(isSecret))) {
    problems.push({ at: 'secret.accept', message: `must be a list of secrets; each ${TOO_SHORT}` });
  }
  if (acceptUnsigned !== undefined && typeof acceptUnsigned !== 'boolean') {
    problems.push({ at: 'secret.acceptUnsigned', message: 'must be true or false' });
  }
  return problems;
}

const TOO_SHORT = `must be a string of at least ${MIN_LENGTH} characters, such as 32 random bytes in base64`;

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= MIN_LENGTH;
}
