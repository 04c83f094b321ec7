import { randomBytes } from 'node:crypto';

/**
 * The secret that signs and verifies tokens. Without JWT_SECRET each process generates its own, so that no secret is in the
 * repository. The tokens are then valid only for this process, and the page logs in again after a restart.
 */
export const JWT_SECRET = process.env['JWT_SECRET'] ?? randomBytes(32).toString('hex');
