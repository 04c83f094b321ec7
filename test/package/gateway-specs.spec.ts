import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Files of the gateway without a spec, and why each needs none. */
const WITHOUT_SPEC: Readonly<Record<string, string>> = {
  'session/client.ts': 'an interface',
  'session/endpoint.ts': 'interfaces',
  'session/session-services.ts': 'holds the collaborators of a session, and decides nothing',
};

const GATEWAY = 'lib/gateway';
const found = readdirSync(GATEWAY, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));
const specs = new Set(found.filter((file) => file.endsWith('.spec.ts')));
const sources = found.filter((file) => !specs.has(file));

const hasSpec = (file: string): boolean => specs.has(file.replace(/\.ts$/, '.spec.ts'));

/** True for code that takes a branch. */
const decides = (code: string): boolean => /\b(if|switch|for|while|catch)\b ?[({]|\?\?|&&|\|\|| \? /.test(code);

/** The code of a file of the gateway, without its comments. */
const codeOf = (file: string): string =>
  readFileSync(`${GATEWAY}/${file}`, 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');

describe('a file of the gateway', () => {
  it.each(sources.filter((file) => !(file in WITHOUT_SPEC)))('has a spec beside it: %s', (file) => {
    expect(hasSpec(file)).toBe(true);
  });

  it.each(Object.entries(WITHOUT_SPEC))('without a spec takes no branch: %s, %s', (file) => {
    expect([sources.includes(file), hasSpec(file), decides(codeOf(file))]).toEqual([true, false, false]);
  });

  it.each(['if (a) b();', 'const c = a ?? b;', 'return a ? b : c;', 'a && b();', 'for (const a of b) c(a);'])(
    'is known to decide by code like "%s"',
    (code) => {
      expect(decides(code)).toBe(true);
    },
  );
});
