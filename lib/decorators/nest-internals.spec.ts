import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from './nest-internals.js';

@Injectable()
class Entry {}
Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, Entry);

describe('what the decorators need of Nest beyond its public API', () => {
  it('is left on injectable classes: INJECTABLE_WATERMARK', () => {
    expect(Reflect.getOwnMetadata(INJECTABLE_WATERMARK, Entry)).toBe(true);
  });

  it('makes a class an entry provider: ENTRY_PROVIDER_WATERMARK', async () => {
    const module = await Test.createTestingModule({ providers: [Entry] }).compile();
    const entries = [...module.get(ModulesContainer).values()].flatMap(({ entryProviders }) => entryProviders);

    expect(entries.map(({ token }) => token)).toContain(Entry);
  });
});
