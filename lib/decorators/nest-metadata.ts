/*
 * The metadata keys of Nest that have no public name. Nest 11 and 12 agree on them but have them in different files, so they
 * are copied. The spec beside this file fails when one of them changes.
 */

/** Set by Nest's decorators on the classes of providers. */
export const ENTRY_PROVIDER_WATERMARK = '__entryProvider__';
export const INJECTABLE_WATERMARK = '__injectable__';

/** Set by the decorators of parameters and by `@UseGuards()` and its siblings. */
export const ROUTE_ARGS_METADATA = '__routeArguments__';
export const GUARDS_METADATA = '__guards__';
export const INTERCEPTORS_METADATA = '__interceptors__';
export const PIPES_METADATA = '__pipes__';
export const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';

/** The metadata of `@WebSocketGateway()`, `@WebSocketServer()` and `@SubscribeMessage()` from `@nestjs/websockets`. */
export const GATEWAY_METADATA = 'websockets:is_gateway';
export const GATEWAY_SERVER_METADATA = 'websockets:is_socket';
export const MESSAGE_MAPPING_METADATA = 'websockets:message_mapping';
export const MESSAGE_METADATA = 'message';

/** The kinds of parameter that the decorators of `@nestjs/websockets` mark: `@ConnectedSocket()` and `@MessageBody()`. */
export const SOCKET_PARAM = 0;
export const PAYLOAD_PARAM = 3;
