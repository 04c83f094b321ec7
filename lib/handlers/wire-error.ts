import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { errorCodeOfHttpStatus, isErrorCode, type WireError } from '../core/protocol/error-code.js';
import { RealtimeError } from '../errors/realtime.error.js';

/** An exception that is meant for the client, so its text may be sent. */
export type ToldException = RealtimeError | HttpException | WsException;

/** True for an exception that is meant for the client. */
export function isTold(exception: unknown): exception is ToldException {
  return exception instanceof RealtimeError || exception instanceof HttpException || exception instanceof WsException;
}

/**
 * Converts an exception to the error for the client.
 *
 * - `RealtimeError`: its code, text, details and `retryAfterMs`.
 * - `HttpException`: the code of its status; its text, or the list of texts that `ValidationPipe` makes, joined; the body
 *   that Nest would send over HTTP as `details`.
 * - `WsException`: its text; when it was given an object, that object as `details` and, if it is one of ours, its
 *   `code`. Otherwise `VALIDATION_FAILED`.
 * - anything else: `INTERNAL` with a fixed text.
 *
 * @param at the action and the topic, where there are any
 */
export function toWireError(exception: unknown, at: Pick<WireError, 'action' | 'topic'> = {}): WireError {
  if (!isTold(exception)) {
    return { code: 'INTERNAL', message: 'The server failed to handle this; its log has the reason.', ...at };
  }
  if (exception instanceof HttpException) return { ...ofHttpException(exception), ...at };
  if (exception instanceof WsException) return { ...ofWsException(exception), ...at };
  const { code, message, details, retryAfterMs } = exception;
  return {
    code,
    message,
    ...(details !== undefined && { details }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...at,
  };
}

/** Returns the text of an exception that is meant for the client; nothing for any other. */
export function textOfTold(exception: unknown): string | undefined {
  return isTold(exception) ? toWireError(exception).message : undefined;
}

function ofHttpException(exception: HttpException): WireError {
  const details = bodyOf(exception);
  const httpStatus = exception.getStatus();
  return {
    code: errorCodeOfHttpStatus(httpStatus),
    message: textOf(details) ?? exception.message,
    httpStatus,
    details,
  };
}

function bodyOf(exception: HttpException): object {
  const statusCode = exception.getStatus();
  const response: unknown = exception.getResponse();
  // Nest keeps the text of an error that was passed as the response to itself, and so do we.
  if (response instanceof Error) return { statusCode, message: STATUS_CODES[statusCode] ?? 'Error' };
  if (typeof response === 'object' && response !== null) return response;
  // Nest 11 has no such property, and keeps the options.
  const { options, errorCode = options?.errorCode } = exception as unknown as WithErrorCode;
  return { statusCode, message: response, ...(errorCode !== undefined && { errorCode }) };
}

interface WithErrorCode {
  readonly errorCode?: unknown;
  readonly options?: { readonly errorCode?: unknown };
}

function textOf({ message }: { readonly message?: unknown }): string | undefined {
  if (typeof message === 'string') return message;
  const texts: unknown[] = Array.isArray(message) ? message : [];
  return texts.length > 0 && texts.every((text) => typeof text === 'string') ? texts.join('; ') : undefined;
}

function ofWsException(exception: WsException): WireError {
  const { message } = exception;
  const error: unknown = exception.getError();
  if (typeof error !== 'object' || error === null) return { code: 'VALIDATION_FAILED', message };
  const { code } = error as { code?: unknown };
  return { code: isErrorCode(code) ? code : 'VALIDATION_FAILED', message, details: error };
}
