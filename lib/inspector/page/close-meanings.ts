import { CLOSE_CODES } from '../../core/protocol/close-code.js';

const STANDARD = {
  1000: 'normal closure',
  1001: 'page left, or server going away',
  1002: 'protocol error',
  1003: 'unacceptable data',
  1005: 'no code given',
  1006: 'connection lost',
  1007: 'invalid UTF-8',
  1008: 'policy violation',
  1009: 'message too large',
  1010: 'extension missing',
  1011: 'internal error',
};

const MEANINGS = {
  ...STANDARD,
  ...Object.fromEntries(Object.values(CLOSE_CODES).map(({ code, reason }) => [code, reason])),
  _other: 'chosen by clients',
};

/** A script with the meaning of each close code. */
export const CLOSE_MEANINGS_JS = `export const CLOSE_MEANINGS = ${JSON.stringify(MEANINGS)};\n`;
