import { RealtimeInspectorModule } from 'nestjs-realtime/inspector';
import { OpenGuard } from './checked-question.js';

/** The inspector, which everybody may see. */
export const INSPECTOR = RealtimeInspectorModule.forRoot({ guard: OpenGuard, tail: true });
