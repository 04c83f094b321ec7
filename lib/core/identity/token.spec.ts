import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from '../base/query-string.js';
import { findToken, tokenFromAuthorization, tokenFromQuery, tokenFromSubprotocols } from './token.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln-_natu';

describe('tokenFromAuthorization', () => {
  it.each([[`Bearer ${TOKEN}`], [`bearer ${TOKEN}`], [`BEARER   ${TOKEN} `]])('reads %s', (header) => {
    expect(tokenFromAuthorization(header)).toBe(TOKEN);
  });

  it.each([
    [undefined],
    [''],
    ['Bearer'],
    ['Bearer '],
    [TOKEN],
    [`Basic ${TOKEN}`],
    [`Bearer${TOKEN}`],
    [`Bearer ${TOKEN} more`],
    [` Bearer ${TOKEN}`],
    [`Bearer ${TOKEN}\nX-Evil: 1`],
  ])('finds none in %j', (header) => {
    expect(tokenFromAuthorization(header)).toBeUndefined();
  });

  it('is done with 100,000 spaces in no time', () => {
    const start = performance.now();
    tokenFromAuthorization(`Bearer ${' '.repeat(100_000)}x y`);
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});

describe('tokenFromQuery', () => {
  it('reads the parameter by its name', () => {
    expect(tokenFromQuery(parseQuery(`/ws?a=1&jwt=${TOKEN}`), 'jwt')).toBe(TOKEN);
  });

  it.each([['/ws'], ['/ws?token='], ['/ws?Token=x'], ['/ws?constructor=x']])('finds none in %s', (url) => {
    expect(tokenFromQuery(parseQuery(url), 'token')).toBeUndefined();
  });

  it('finds none under a name that every object has', () => {
    expect(tokenFromQuery(parseQuery('/ws'), 'constructor')).toBeUndefined();
  });
});

describe('tokenFromSubprotocols', () => {
  it.each([[`realtime, bearer.${TOKEN}`], [`realtime,bearer.${TOKEN}`], [`bearer.${TOKEN} , realtime`]])(
    'reads %s',
    (header) => {
      expect(tokenFromSubprotocols(header)).toBe(TOKEN);
    },
  );

  it.each([
    [undefined],
    [''],
    ['realtime'],
    ['realtime, bearer.'],
    ['realtime, bearer'],
    [TOKEN],
    [`x-bearer.${TOKEN}`],
  ])('finds none in %j', (header) => {
    expect(tokenFromSubprotocols(header)).toBeUndefined();
  });
});

describe('findToken', () => {
  const everywhere = { authorization: 'Bearer h', query: parseQuery('?token=q'), subprotocols: 'realtime, bearer.s' };

  it('takes the header first', () => {
    expect(findToken(everywhere, 'token')).toBe('h');
  });

  it('takes the query next', () => {
    expect(findToken({ ...everywhere, authorization: 'Basic h' }, 'token')).toBe('q');
  });

  it('takes the sub-protocol last', () => {
    expect(findToken({ subprotocols: everywhere.subprotocols, query: new Map() }, 'token')).toBe('s');
  });

  it('takes none from the URL when the URL may not carry any', () => {
    expect(findToken({ query: everywhere.query }, false)).toBeUndefined();
  });

  it('finds the token wherever it is sent', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/);
    fc.assert(
      fc.property(token, (sent) => {
        const places = [
          { authorization: `Bearer ${sent}`, query: new Map() },
          { query: parseQuery(`/ws?token=${sent}`) },
          { query: new Map(), subprotocols: `realtime, bearer.${sent}` },
        ];
        for (const place of places) expect(findToken(place, 'token')).toBe(sent);
      }),
    );
  });
});
