import type { ChatMember } from './chat/chat-member.js';

/** Every message that this application sends, by type, with its payload: what a send is checked against. */
declare module 'nestjs-realtime' {
  interface RealtimeMessages {
    'order.created': { id: string; item: string; quantity: number };
    metrics: { connections: number; memoryMiB: number; eventLoopPercent: number };
    'job.progress': { jobId: string; percent: number };
    announcement: { from: string; text: string };
    said: { id: string; from: string; text: string };
    members: { members: ChatMember[] };
  }
}
