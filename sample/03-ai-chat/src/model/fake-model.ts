import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { LanguageModel, type ChatMessage } from './language-model.js';

const THINKING_MS = 600;
const WORD_MS = 80;
const SENTENCE_MS = 400;

const TEXT = [
  'Imagine a letter that is written on a train. If it were dictated over the telephone, every tunnel would cost a',
  'sentence. Here the writer puts each line into a box at the station, and numbers it. Whoever wants to read opens the',
  'box and starts at line one. A reader who leaves in the middle comes back and finds the next line where the last one',
  'ended. A second reader, who comes late, reads the same letter from its beginning. Nobody has to ask the writer to',
  'start again, and the writer does not have to know who reads. If the writer is taken ill, a colleague adds one last',
  'line, which says so. That is the whole idea: the answer does not belong to the connection that asked for it. It',
  'belongs to the conversation, and the conversation is kept where every node can see it.',
].join(' ');

/** What is answered to a question. */
export function answerTo(question: string): string {
  return `You ask: “${question}” ${TEXT}`;
}

/** Says the same of every question, at the pace of a real model. */
@Injectable()
export class FakeModel extends LanguageModel {
  async *answer(conversation: readonly ChatMessage[], signal: AbortSignal): AsyncIterable<string> {
    const question = conversation.at(-1)?.text ?? '';
    await delay(THINKING_MS, undefined, { signal });
    for (const word of answerTo(question).split(/(?<=\s)/)) {
      yield word;
      await delay(/[.?!]\s$/.test(word) ? SENTENCE_MS : WORD_MS, undefined, { signal });
    }
  }
}
