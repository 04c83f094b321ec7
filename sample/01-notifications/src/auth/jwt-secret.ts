import { randomBytes } from 'node:crypto';

/**
 * What signs and verifies the tokens. Without JWT_SECRET every process makes up its own, so that no secret stands in the
 * repository; the tokens then die with the process, and the page logs in again.
 */
export const JWT_SECRET = process.env['JWT_SECRET'] ?? randomBytes(32).toString('hex');
