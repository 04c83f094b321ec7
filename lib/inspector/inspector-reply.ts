/** The common part of responses of Express and Fastify. */
export interface HttpReply {
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/** The page loads its own files only, runs nothing that stands in a document, and is shown in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['Content-Security-Policy', POLICY],
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];

/** Sends a file of the inspector. */
export function reply(response: HttpReply, type: string, body: string): void {
  for (const [name, value] of HEADERS) response.header(name, value);
  response.header('Content-Type', `${type}; charset=utf-8`);
  response.send(body);
}

/** Sends data of the inspector. */
export function json(response: HttpReply, value: object): void {
  reply(response, 'application/json', JSON.stringify(value));
}
