import { constants, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { JwksVerifier, type JwksOptions } from 'nestjs-realtime/jwks';
import { onTestFinished } from 'vitest';
import type { JwtClaims } from 'nestjs-realtime';
import type { Clock } from 'nestjs-realtime/ports';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA' | 'Ed25519';

/** A key pair of an identity provider. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The published part of the key. */
  readonly jwk: JsonWebKey;
}

/** Makes a key pair; RSA takes its time. */
export function signingKey(kid: string, alg: Algorithm = 'ES256', modulusLength = 2048): SigningKey {
  const { privateKey, publicKey } = alg.startsWith('E')
    ? alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
    : generateKeyPairSync('rsa', { modulusLength });
  return { alg, kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

/** A token with exactly these claims (text is taken as it is), signed with the key; a header field that is set to `undefined` is left out. */
export function signedBy(key: SigningKey, claims: object | string, header: object = {}): string {
  const head = JSON.stringify({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header });
  const input = [head, typeof claims === 'string' ? claims : JSON.stringify(claims)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  const hash = key.alg.startsWith('Ed') ? null : 'sha256';
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = sign(hash, Buffer.from(input), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
    ...(key.alg.startsWith('PS') && pss),
  });
  return `${input}.${signature.toString('base64url')}`;
}

/** An identity provider of its own server on 127.0.0.1: publishes keys, signs tokens, counts who asks, and fails as it is told. */
export class IdentityProvider {
  readonly #server: Server;
  /** The published key set. */
  keys: readonly SigningKey[];
  /** How many requests have come in, to any path. */
  fetches = 0;
  #port = 0;
  #answer: RequestListener | undefined;
  #asked: () => void = () => undefined;

  private constructor(keys: readonly SigningKey[]) {
    this.keys = keys;
    this.#server = createServer((request, response) => {
      this.fetches += 1;
      if (this.#answer) this.#answer(request, response);
      else this.publish(response);
      this.#asked();
    });
  }

  /** Starts it on a free port; it is stopped when the test has finished, or as `finished` says. */
  static async start(
    keys: readonly SigningKey[] = [signingKey('first')],
    finished: (stop: () => Promise<void>) => void = onTestFinished,
  ): Promise<IdentityProvider> {
    const provider = new IdentityProvider(keys);
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve));
    provider.#port = (provider.#server.address() as AddressInfo).port;
    finished(() => provider.stop());
    return provider;
  }

  /** Its `iss`. */
  get issuer(): string {
    return `${this.#url}/`;
  }

  get jwksUrl(): string {
    return `${this.#url}/jwks.json`;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Options that trust it, for tokens to `shop`. */
  options(changes: Partial<JwksOptions> = {}): JwksOptions {
    return { issuer: this.issuer, jwksUrl: this.jwksUrl, algorithms: ['ES256'], audience: 'shop', ...changes };
  }

  /** A verifier that trusts it. */
  verifier(changes: Partial<JwksOptions> = {}, clock: Clock = { now: () => Date.now() }): Promise<JwksVerifier> {
    return JwksVerifier.create(this.options(changes), clock);
  }

  /** Claims of a token that lives for an hour. */
  claims(changes: JwtClaims = {}): JwtClaims {
    return { sub: 'ann', iss: this.issuer, aud: 'shop', exp: Math.floor(Date.now() / 1000) + 3_600, ...changes };
  }

  /** A genuine token, signed with the first key unless told otherwise. */
  token(changes: JwtClaims = {}, key = this.keys[0]!): string {
    return signedBy(key, this.claims(changes));
  }

  /** Answers requests in another way from now on; with nothing, with the keys again. */
  answerWith(answer?: RequestListener): void {
    this.#answer = answer;
  }

  /** Answers with the published keys. */
  publish(response: ServerResponse): void {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  }

  /** Keeps requests waiting until `release` is called; `asked` resolves when the first is there. */
  hold(): { readonly asked: Promise<void>; release(): void } {
    const waiting: ServerResponse[] = [];
    this.answerWith((_request: IncomingMessage, response) => void waiting.push(response));
    return {
      asked: new Promise((resolve) => (this.#asked = resolve)),
      release: () => {
        this.answerWith();
        for (const response of waiting) this.publish(response);
      },
    };
  }

  /** Refuses connections from now on. */
  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
