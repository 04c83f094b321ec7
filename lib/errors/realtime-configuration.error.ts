/**
 * A configuration error: an invalid option, handler or adapter. It stops the boot; the text names the fault and the
 * correction.
 * @publicApi
 */
export class RealtimeConfigurationError extends Error {
  override readonly name = 'RealtimeConfigurationError';
}
