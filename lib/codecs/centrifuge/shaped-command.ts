import { estimatedValues, withValues } from '../../core/protocol/command-cost.js';
import { countJsonValues, type JsonShape } from '../../core/protocol/json-shape.js';
import type { Decoded } from '../../ports/codec.js';
import { commandIdIn, readCommand } from './command-reader.js';

/**
 * Reads a command from its fields, unless they exceed the limits for JSON.
 * @param text the text or the bytes of the command
 */
export function readShapedCommand(
  fields: Readonly<Record<string, unknown>>,
  shape: JsonShape,
  text: { readonly length: number },
): Decoded {
  const counted = countJsonValues(fields, shape);
  if (typeof counted === 'number') return withValues(readCommand(fields), counted);
  const id = commandIdIn(fields);
  const message = `The command ${counted.problem.message}.`;
  const refused: Decoded = {
    ok: false,
    error: { code: 'LIMIT_EXCEEDED', message },
    blame: 'if-repeated',
    ...(id !== undefined && { id }),
  };
  return withValues(refused, estimatedValues(text));
}
