import { KeyObject, X509Certificate, createPublicKey } from 'node:crypto';
import type { JwtAlgorithm } from './jwt-algorithm.js';

/** A public key, or the text of an error. The text never contains key material. */
export type PublicKeyReading =
  { readonly ok: true; readonly key: KeyObject } | { readonly ok: false; readonly message: string };

/** Minimum size of an RSA key in bits (RFC 7518, 3.3). */
const MIN_RSA_BITS = 2048;

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

/** Reads a public key: PEM (a key or a certificate), or a `KeyObject`. */
export function readPublicKey(value: unknown): PublicKeyReading {
  if (value instanceof KeyObject) return ofType(value);
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    return { ok: false, message: 'must be PEM text, a Buffer of it, or a public KeyObject' };
  }
  const pem = Buffer.from(value).toString('latin1');
  if (pem.includes('PRIVATE KEY-----')) return PRIVATE;
  try {
    return ofType(createPublicKey(pem));
  } catch {
    // The text of OpenSSL is left out: it does not help, and it might contain key material.
    return {
      ok: false,
      message:
        'cannot be read: it must be PEM text, "-----BEGIN PUBLIC KEY-----" or a certificate, with real line breaks (an environment variable may hold the two characters \\n instead)',
    };
  }
}

/** Returns the reason why a public key cannot verify an algorithm's signatures, as the end of a sentence; `undefined` if it can. */
export function explainKeyFor(algorithm: JwtAlgorithm, key: KeyObject): string | undefined {
  const { namedCurve, modulusLength = MIN_RSA_BITS } = key.asymmetricKeyDetails ?? {};
  const type = namedCurve ?? key.asymmetricKeyType;
  const fits = algorithm.startsWith('ES')
    ? namedCurve === CURVES[algorithm]
    : type === 'rsa' || (type === 'rsa-pss' && algorithm.startsWith('PS'));
  if (!fits) return `is of type ${type}, which ${algorithm} cannot use; give the issuer's key for ${algorithm}`;
  if (modulusLength >= MIN_RSA_BITS) return undefined;
  return `has ${modulusLength} bits; ${algorithm} needs at least ${MIN_RSA_BITS} (RFC 7518, 3.3)`;
}

/**
 * True for a value that looks like the key of a key pair instead of a shared secret. A public key used as an HMAC secret lets
 * everybody who knows it sign tokens (algorithm confusion, RFC 8725, 2.1). It recognises PEM, JWK and SSH text, and DER,
 * also in base64 as some issuers display it.
 */
export function looksLikeKey(secret: string | Uint8Array): boolean {
  const bytes = Buffer.from(secret);
  const text = bytes.toString('latin1');
  if (/-----BEGIN |"kty"\s*:|^\s*(?:ssh|ecdsa)-/.test(text)) return true;
  return isDer(bytes) || isDer(Buffer.from(text, 'base64'));
}

const PRIVATE = {
  ok: false,
  message: 'is a private key; give the public one (a verifier must not be able to sign)',
} as const;

function ofType(key: KeyObject): PublicKeyReading {
  if (key.type === 'public') return { ok: true, key };
  return key.type === 'private' ? PRIVATE : { ok: false, message: 'is a secret; give it as `secret`' };
}

function isDer(der: Buffer): boolean {
  const SEQUENCE = 0x30;
  if (der[0] !== SEQUENCE) return false;
  const readings = [
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
    () => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(der),
  ];
  return readings.some(succeeds);
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
