import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMessageText, typeIn } from './message-text.js';
import { stringifyMessage } from './message.js';

const AT = '2026-01-31T12:00:00.000Z';

describe('the text of a message', () => {
  it('is accepted as it is written, whatever the payload', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }), (payload, type) => {
        const written = stringifyMessage({ type: `t${type}`, payload }, AT);
        expect(written.ok && isMessageText(written.text)).toBe(true);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"type":"t","payload":"}'],
    ['half of it', `{"type":"t","payload":"hal`],
    ['JSON that ends too soon', `{"type":"t","payload":[1,"timestamp":"${AT}"}`],
    ['two messages', `{"type":"t","timestamp":"${AT}"},{"type":"t","timestamp":"${AT}"}`],
    ['a second line', `{"type":"t",\n"timestamp":"${AT}"}`],
    ['a reserved type', `{"type":"realtime:welcome","timestamp":"${AT}"}`],
    ['a second, reserved type', `{"type":"t","type":"realtime:welcome","timestamp":"${AT}"}`],
    ['no type', `{"type":"","timestamp":"${AT}"}`],
    ['another timestamp', '{"type":"t","timestamp":"today"}'],
    ['a field of the protocol', `{"type":"t","topic":"other","timestamp":"${AT}"}`],
  ])('is refused when it is %s', (_what, text) => {
    expect(isMessageText(text)).toBe(false);
  });
});

describe('the type in the text of a message', () => {
  it('tells types apart, whatever they are', () => {
    const type = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', '\\', 'a') }));
    fc.assert(
      fc.property(type, type, fc.jsonValue(), (one, other, payload) => {
        const [a, b] = [one, other].map((each) => {
          const written = stringifyMessage({ type: each, payload }, AT);
          return written.ok ? typeIn(written.text) : '';
        });
        expect(a === b).toBe(one === other);
        expect(JSON.parse(`"${a}"`)).toBe(one);
      }),
    );
  });
});
