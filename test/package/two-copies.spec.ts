import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runNode } from './child.js';
import { REPOSITORY } from './repository.js';

const OWN = 'node_modules/nestjs-realtime';
const OTHER = `libs/chat/${OWN}`;

const LIBRARY = `
import { Injectable } from '@nestjs/common';
import { OnConnect, OnMessage, TopicGateway } from 'nestjs-realtime';

export class ChatTopic {
  say() {}
}
TopicGateway('chat:{room}')(ChatTopic);
OnMessage('say')(ChatTopic.prototype, 'say', Object.getOwnPropertyDescriptor(ChatTopic.prototype, 'say'));

export class Door {
  refuse() {
    throw new Error('nobody');
  }
}
Injectable()(Door);
OnConnect()(Door.prototype, 'refuse', Object.getOwnPropertyDescriptor(Door.prototype, 'refuse'));
`;

const APPLICATION = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RealtimeModule } from 'nestjs-realtime';

const library = await import(process.argv[2]);
class AppModule {}
const jwt = { secret: 'a secret of 32 bytes that nobody signs with', algorithms: ['HS256'] };
Module({ imports: [RealtimeModule.forRoot({ jwt })], providers: [library[process.argv[3]]] })(AppModule);
try {
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.init();
  await app.close();
  console.log('booted');
} catch (error) {
  console.log(error.message);
}
`;

/** A monorepo whose library `chat` has a copy of the package of its own. */
let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'two-copies-')));
  const packages = await realpath(join(REPOSITORY, 'node_modules'));
  await mkdir(join(folder, 'node_modules'));
  for (const name of await readdir(packages)) {
    if (!name.startsWith('.')) await symlink(join(packages, name), join(folder, 'node_modules', name));
  }
  for (const copy of [OWN, OTHER]) {
    await cp(join(REPOSITORY, 'dist'), join(folder, copy, 'dist'), { recursive: true });
    await cp(join(REPOSITORY, 'package.json'), join(folder, copy, 'package.json'));
  }
  await writeFile(join(folder, 'libs/chat/index.mjs'), LIBRARY);
  // The same library, where it finds the copy of the application.
  await writeFile(join(folder, 'own.mjs'), LIBRARY);
  await writeFile(join(folder, 'main.mjs'), APPLICATION);
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const boot = async (library: string, provider: string) =>
  (await runNode('main.mjs', [library, provider], folder)).output.trim();

describe('an application with two installed copies of the package', () => {
  it.each([
    ['topic gateway', 'ChatTopic', 'ChatTopic is decorated by another copy of nestjs-realtime'],
    ['hook', 'Door', 'Door.refuse is decorated by another copy of nestjs-realtime'],
  ])('does not boot with a %s of the other copy, and names both folders', async (_what, provider, why) => {
    const output = await boot('./libs/chat/index.mjs', provider);
    expect(output).toContain(why);
    expect(output).toContain(`decorators: ${join(folder, OTHER)}\n`);
    expect(output).toContain(`RealtimeModule: ${join(folder, OWN)}\n`);
  });

  it.each(['ChatTopic', 'Door'])('boots with %s of its own copy', async (provider) => {
    expect(await boot('./own.mjs', provider)).toBe('booted');
  });
});
