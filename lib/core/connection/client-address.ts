/** The source of a request, after trusted proxies. */
export interface ClientAddress {
  /** The client's IP address. */
  readonly address: string;
  readonly host: string | undefined;
  /** True when the client is known to speak TLS, to this server or to a trusted proxy; otherwise nobody knows. */
  readonly isSecure: boolean;
}
