import type { Person } from './chat/person.js';

/** The message types of this sample, in addition to those of sample 01, with their payloads. */
declare module 'nestjs-realtime' {
  interface RealtimeMessages {
    'chat.said': Person & { readonly id: string; readonly text: string };
    'chat.typing': Person;
    'cursor.moved': Person & { readonly x: number; readonly y: number };
  }
}
