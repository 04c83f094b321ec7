/**
 * The application is put together wrongly: an option, a handler, the adapter. Stops the boot; the text names what is
 * wrong and what to write instead.
 * @publicApi
 */
export class RealtimeConfigurationError extends Error {
  override readonly name = 'RealtimeConfigurationError';
}
