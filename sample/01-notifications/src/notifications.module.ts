import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { AnnouncementsController } from './announcements/announcements.controller.js';
import { AuthController } from './auth/auth.controller.js';
import { JWT_SECRET } from './auth/jwt-secret.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JobsService } from './jobs/jobs.service.js';
import { OrdersController } from './orders/orders.controller.js';

/** Everything except the chat. It does not depend on the number of nodes: sample 02 imports this module unchanged. */
@Module({
  imports: [JwtModule.register({ secret: JWT_SECRET, signOptions: { algorithm: 'HS256', expiresIn: '1h' } })],
  controllers: [AuthController, OrdersController, JobsController, AnnouncementsController],
  providers: [
    JobsService,
    // One pipe checks the bodies of HTTP requests and the payloads of topic messages alike.
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class NotificationsModule {}
