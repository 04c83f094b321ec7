import fc from 'fast-check';

/**
 * Any text of UTF-16 code units, lone surrogates included. The units `binary` of fast-check, and its URLs, take seconds of
 * preparation on a busy machine.
 */
export const arbitraryText: fc.Arbitrary<string> = fc.uint16Array().map((codes) => String.fromCharCode(...codes));
