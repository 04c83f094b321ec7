/** The address of the client behind trusted proxies, and the host and scheme that it requested. */
export interface ClientAddress {
  /** The client's IP address. */
  readonly address: string;
  readonly host: string | undefined;
  /** True if the client is known to use TLS, to this server or to a trusted proxy; false means unknown. */
  readonly isSecure: boolean;
}
