/** The marks by which the publications of a stream are found among those of its topic. */
export interface StreamName {
  readonly id: string;
  /** The type of its messages. */
  readonly type: string;
}

/** The end of a stream. */
export type StreamEnd =
  | { readonly kind: 'end' }
  /** It was stopped. */
  | { readonly kind: 'stopped' }
  /** @param error the text for clients */
  | { readonly kind: 'error'; readonly error: string };

/** The part of one publication that is about its stream. */
export interface StreamMark {
  /** Missing at an end that was published when the pieces before it were no longer kept. */
  readonly seq?: number;
  /** Missing for a piece. */
  readonly end?: StreamEnd['kind'];
}

/** Returns the message of a piece. @param items the JSON text of an array */
export function pieceText(stream: StreamName, seq: number, items: string, timestamp: string): string {
  return messageText(stream, `"seq":${seq},"items":${items}`, timestamp);
}

/** Returns the message of an end. @param seq omitted when it is not known */
export function endText(stream: StreamName, seq: number | undefined, end: StreamEnd, timestamp: string): string {
  return messageText(stream, `${seq === undefined ? '' : `"seq":${seq},`}${fieldsOf(end)}`, timestamp);
}

/** Reads a publication of the topic. @returns nothing if it is none of the stream */
export function readStreamMark(text: string, { id, type }: StreamName): StreamMark | undefined {
  // Parsing each publication of a topic would cost more than looking for the id.
  if (!text.includes(JSON.stringify(id))) return undefined;
  const message = JSON.parse(text) as { readonly type?: unknown; readonly payload?: unknown };
  if (message.type !== type || typeof message.payload !== 'object' || message.payload === null) return undefined;
  const { id: found, seq, items, end, stopped, error } = message.payload as Record<string, unknown>;
  if (found !== id) return undefined;
  const kind = error !== undefined ? 'error' : end !== true ? undefined : stopped === true ? 'stopped' : 'end';
  if (kind === undefined && !Array.isArray(items)) return undefined;
  return { ...(Number.isSafeInteger(seq) && { seq: seq as number }), ...(kind && { end: kind }) };
}

function fieldsOf(end: StreamEnd): string {
  switch (end.kind) {
    case 'end':
      return '"end":true';
    case 'stopped':
      return '"end":true,"stopped":true';
    case 'error':
      return `"error":${JSON.stringify(end.error)}`;
  }
}

/** Writes a message as `stringifyMessage` does; the items are JSON already. */
function messageText({ id, type }: StreamName, fields: string, timestamp: string): string {
  const payload = `{"id":${JSON.stringify(id)},${fields}}`;
  return `{"type":${JSON.stringify(type)},"payload":${payload},"timestamp":${JSON.stringify(timestamp)}}`;
}
