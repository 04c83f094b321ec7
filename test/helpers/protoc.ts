import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROTO_FILE } from './protobuf-lines.js';
import { locate, type SystemProgram } from './system-program.js';

const PROTOC: SystemProgram = {
  names: ['protoc'],
  pathVariable: 'PROTOC_PATH',
  packages: ['protobuf-compiler'],
  cure:
    'The tests of the Protobuf form need protoc. Install it (on Debian: sudo apt-get install protobuf-compiler), or set ' +
    'PROTOC_PATH to its executable.',
};

/** The path of `protoc`, which is installed if it is missing and apt and root allow it. */
export function locateProtoc(): Promise<string> {
  return locate(PROTOC);
}

/** Reads a message with Google's own implementation, at this path. @returns it in Protobuf's text format */
export async function decodeWithProtoc(path: string, type: string, message: Uint8Array): Promise<string> {
  const protoc = spawn(path, [`--proto_path=${dirname(PROTO_FILE)}`, `--decode=${type}`, PROTO_FILE]);
  const output = Promise.all([text(protoc.stdout), text(protoc.stderr)]);
  protoc.stdin.end(message);
  const [[code], [decoded, failure]] = await Promise.all([once(protoc, 'close'), output]);
  if (code !== 0) throw new Error(`protoc ended with ${String(code)}: ${failure}`);
  return decoded;
}
