import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { JwtService, type JwtSignOptions } from '@nestjs/jwt';

/** A shared secret, new in each run. */
export const SECRET = randomBytes(48).toString('base64');

/** An RSA pair in PEM, new in each run. */
export const RSA_KEYS = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** A token as an issuer would sign it, by `@nestjs/jwt`: HS256 with {@link SECRET} for an hour, unless told otherwise. */
export function signedToken(claims: object, options: JwtSignOptions = {}): string {
  return new JwtService({}).sign(claims, {
    ...(options.privateKey ? {} : { secret: SECRET }),
    ...('exp' in claims ? {} : { expiresIn: 3600 }),
    ...options,
  });
}
