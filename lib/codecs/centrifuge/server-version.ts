/** The version of this package, which a client is told as that of the server when it connects. */
export const SERVER_VERSION = '0.1.0';
