import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { JSON_ACTIONS, JsonCodec } from '../../lib/codecs/json/json-codec.js';
import type { Push } from '../../lib/core/protocol/push.js';
import { PUSHES } from '../helpers/every-push.js';
import { dialogue, tableUnder } from '../helpers/protocol-document.js';
import { codeBlocks } from './markdown.js';
import { read, REPOSITORY } from './repository.js';

const codec = new JsonCodec({ maxDepth: 32, maxKeys: 1_000, maxValues: 10_000 });
const NOW = '1970-01-01T00:00:00.000Z';

/** A value, and the exported type that it should have. */
interface Claim {
  readonly type: string;
  readonly value: object;
}

/** Returns what the compiler says against each claim, in their order. */
function objections(claims: readonly Claim[]): readonly string[][] {
  const file = join(REPOSITORY, 'lib/client/claims.ts');
  const lines = claims.map(({ type, value }) => `void (${JSON.stringify(value)} satisfies ${type});`);
  const names = [...new Set(claims.map(({ type }) => type))].join(', ');
  const text = `import type { ${names} } from './index.js';\n${lines.join('\n')}\n`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, language, ...rest) =>
    name === file ? ts.createSourceFile(name, text, language) : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file)!;
  const found = claims.map(() => [] as string[]);
  for (const { start, messageText } of program.getSemanticDiagnostics(source)) {
    const { line } = source.getLineAndCharacterOfPosition(start!);
    found[line - 1]!.push(ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return found;
}

/** `presence-reset` as `PresenceReset`. */
function pascal(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const frameOf = (push: Push) => JSON.parse(codec.encodePush(push, NOW)) as Record<string, unknown>;

const system: readonly Claim[] = Object.entries(PUSHES).flatMap(([kind, pushes]) =>
  pushes.map((push) => ({ type: `${pascal(kind)}Frame`, value: frameOf(push) })),
);

const MESSAGE = JSON.stringify({ type: 'said', payload: { text: 'hi' }, timestamp: NOW });
const messages: readonly Claim[] = [
  MESSAGE,
  codec.encodeMessage(MESSAGE, 'chat:lobby'),
  codec.encodeMessage(MESSAGE, 'chat:lobby', 7, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
].map((text) => ({ type: 'MessageFrame', value: JSON.parse(text) as object }));

const dialogues: readonly Claim[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((number) =>
  dialogue(number).flatMap((line): Claim[] => {
    if (line.by === 'client') return [{ type: 'RealtimeCommand', value: line.frame }];
    return line.by === 'server' ? [{ type: 'RealtimeFrame', value: { ...line.frame, timestamp: NOW } }] : [];
  }),
);

/** The command of each action, with every field that the table of the protocol names. */
const commands: readonly Claim[] = tableUnder('Actions').map(({ action, fields }) => {
  const position = { epoch: 'e', offset: 1 };
  const values: Record<string, unknown> = {
    id: 1,
    recover: position,
    since: position,
    limit: 3,
    last: 3,
    maxRateHz: 2,
  };
  const flags = { reverse: true, presence: true, stream: true };
  const names = fields === '–' ? [] : fields!.split(',').map((name) => name.trim().split(' ')[0]!.replace('?', ''));
  const value = Object.fromEntries(names.map((name) => [name, { ...values, ...flags }[name] ?? 'text']));
  return { type: `${pascal(action!)}Command`, value: { action, id: 1, trace: 'text', ...value } };
});

describe('the types of frames', () => {
  const real = [...system, ...messages, ...dialogues, ...commands];
  const said = objections(real);

  it.each(real.map(({ type, value }, at) => ({ type, text: JSON.stringify(value), at })))(
    '$type describes $text',
    ({ at }) => {
      expect(said[at]).toEqual([]);
    },
  );

  it('are one for each frame of the server and for each action', () => {
    expect(new Set(system.map(({ type }) => type)).size).toBe(Object.keys(PUSHES).length);
    expect(commands.map(({ value }) => (value as { action: string }).action)).toEqual(JSON_ACTIONS);
  });

  /** Frames that the server does not send: with a field that does not exist, or without one that is always there. */
  const wrong = system.flatMap(({ type, value }, at): Claim[] => {
    const { payload, ...rest } = value as { payload?: unknown };
    const isLeast = at % 2 === 0;
    if (typeof payload !== 'object' || payload === null) return [{ type, value: { ...value, nonsense: 1 } }];
    const less = Object.keys(payload).map((name) => ({ ...payload, [name]: undefined }));
    const more = { ...payload, nonsense: 1 };
    return [more, ...(isLeast ? less : [])].map((changed) => ({ type, value: { ...rest, payload: changed } }));
  });

  it('refuse all others', () => {
    const accepted = objections(wrong).flatMap((complaints, at) => (complaints.length === 0 ? [wrong[at]] : []));
    expect(wrong.length).toBeGreaterThan(40);
    expect(accepted).toEqual([]);
  });
});

describe('the page of the protocol', () => {
  const blocks = codeBlocks(read('docs/reference/protocol.md')).filter(({ info }) => info === 'ts');
  const shown = blocks.map(({ code }) => code).join('\n');

  it.each(['lib/client/commands.ts', 'lib/client/frames.ts'].flatMap(interfacesIn))('shows the type %s', (_, text) => {
    expect(shown).toContain(text);
  });
});

/** The interfaces of a file, each by its name, without the comment before it. */
function interfacesIn(path: string): [name: string, text: string][] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest);
  return source.statements.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node.getText(source)]);
}
