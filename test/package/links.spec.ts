import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsIn, linksIn } from './markdown.js';
import { DOCUMENTS, read, REPOSITORY } from './repository.js';

const INTERNAL = DOCUMENTS.flatMap((document) =>
  linksIn(read(document))
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = '', anchor] = link.split('#');
      return { document, link, target: path === '' ? document : normalize(join(dirname(document), path)), anchor };
    }),
);

describe('a relative link of a document', () => {
  it.each(INTERNAL)('leads somewhere: $document → $link', ({ target }) => {
    expect(existsSync(join(REPOSITORY, target))).toBe(true);
  });

  it.each(INTERNAL.filter(({ anchor }) => anchor !== undefined))('names a heading: $document → $link', (link) => {
    expect(anchorsIn(read(link.target))).toContain(link.anchor);
  });
});

describe('an external link of a document', () => {
  const external = DOCUMENTS.flatMap((document) =>
    linksIn(read(document))
      .filter((link) => /^[a-z]+:/.test(link))
      .map((link) => ({ document, link })),
  );

  it.each(external)('is encrypted: $document → $link', ({ link }) => {
    expect(link).toMatch(/^https:/);
  });
});
