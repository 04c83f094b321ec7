import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { RealtimeInspectorModule } from 'nestjs-realtime/inspector';
import { AnnouncementsController } from './announcements/announcements.controller.js';
import { AuthController } from './auth/auth.controller.js';
import { JWT_SECRET } from './auth/jwt-secret.js';
import { INSPECTOR_PATH } from './inspector/inspector-cookie.js';
import { InspectorSessionController } from './inspector/inspector-session.controller.js';
import { InspectorGuard } from './inspector/inspector.guard.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JobsService } from './jobs/jobs.service.js';
import { OrdersController } from './orders/orders.controller.js';

/** Everything except the chat. It does not depend on the number of nodes: sample 02 imports this module unchanged. */
@Module({
  imports: [
    JwtModule.register({ secret: JWT_SECRET, signOptions: { algorithm: 'HS256', expiresIn: '1h' } }),
    RealtimeInspectorModule.forRoot({ path: INSPECTOR_PATH, guard: InspectorGuard, tail: true }),
  ],
  controllers: [AuthController, OrdersController, JobsController, AnnouncementsController, InspectorSessionController],
  providers: [
    JobsService,
    // One pipe checks the bodies of HTTP requests and the payloads of topic messages alike.
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class NotificationsModule {}
