import 'reflect-metadata';
import { Injectable, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import * as metadata from './nest-metadata.js';

@Injectable()
class Entry {}
Reflect.defineMetadata(metadata.ENTRY_PROVIDER_WATERMARK, true, Entry);

class Enhancer {}

class Probe {
  say(@MessageBody() _body: unknown, @ConnectedSocket() _socket: unknown, @MessageBody('text') _text: unknown) {}
}

describe('the metadata that this package needs of Nest beyond its public API', () => {
  it('is left on injectable classes: INJECTABLE_WATERMARK', () => {
    expect(Reflect.getOwnMetadata(metadata.INJECTABLE_WATERMARK, Entry)).toBe(true);
  });

  it('makes a class an entry provider: ENTRY_PROVIDER_WATERMARK', async () => {
    const module = await Test.createTestingModule({ providers: [Entry] }).compile();
    const entries = [...module.get(ModulesContainer).values()].flatMap(({ entryProviders }) => entryProviders);

    expect(entries.map(({ token }) => token)).toContain(Entry);
  });

  it.each([
    ['GUARDS_METADATA', UseGuards(Enhancer as never)],
    ['INTERCEPTORS_METADATA', UseInterceptors(Enhancer as never)],
    ['PIPES_METADATA', UsePipes(Enhancer as never)],
    ['EXCEPTION_FILTERS_METADATA', UseFilters(Enhancer as never)],
  ] as const)('finds what is bound to a class under %s', (key, decorate) => {
    class Bound {}
    decorate(Bound);

    expect(Reflect.getMetadata(metadata[key], Bound)).toEqual([Enhancer]);
  });

  it('finds decorated parameters under ROUTE_ARGS_METADATA', () => {
    const marks = Reflect.getMetadata(metadata.ROUTE_ARGS_METADATA, Probe, 'say') as object;

    expect(Object.keys(marks).sort()).toEqual([
      `${metadata.SOCKET_PARAM}:1`,
      `${metadata.PAYLOAD_PARAM}:0`,
      `${metadata.PAYLOAD_PARAM}:2`,
    ]);
  });
});
