import type { Person } from './chat/person.js';

/** What this sample sends beside the messages of sample 01, by type, with its payload. */
declare module 'nestjs-realtime' {
  interface RealtimeMessages {
    'chat.said': Person & { readonly id: string; readonly text: string };
    'chat.typing': Person;
  }
}
