import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { RealtimeModule } from 'nestjs-realtime';
import { AnnouncementsController } from './announcements/announcements.controller.js';
import { AuthController } from './auth/auth.controller.js';
import { JWT_SECRET } from './auth/jwt-secret.js';
import { ChatMembers } from './chat/chat-members.js';
import { ChatTopic } from './chat/chat.topic.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JobsService } from './jobs/jobs.service.js';
import { MetricsService } from './metrics/metrics.service.js';
import { OrdersController } from './orders/orders.controller.js';

/** The whole application: `RealtimeModule` is the one import that makes it realtime. */
@Module({
  imports: [
    RealtimeModule.forRoot({ path: '/ws', jwt: { secret: JWT_SECRET, algorithms: ['HS256'] } }),
    JwtModule.register({ secret: JWT_SECRET, signOptions: { algorithm: 'HS256', expiresIn: '1h' } }),
  ],
  controllers: [AuthController, OrdersController, JobsController, AnnouncementsController],
  providers: [
    MetricsService,
    JobsService,
    ChatTopic,
    ChatMembers,
    // One pipe checks the bodies of HTTP requests and the payloads of topic messages alike.
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule {}
