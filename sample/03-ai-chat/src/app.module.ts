import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { RealtimeModule } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { AuthController } from '../../01-notifications/src/auth/auth.controller.js';
import { JWT_SECRET } from '../../01-notifications/src/auth/jwt-secret.js';
import { NODES, REDIS_URL } from '../../02-cluster/src/environment.js';
import { NodeController } from '../../02-cluster/src/node/node.controller.js';
import { AiChatTopic } from './chat/ai-chat.topic.js';
import { FakeModel } from './model/fake-model.js';
import { LanguageModel } from './model/language-model.js';

@Module({
  imports: [
    RealtimeModule.forRoot({
      path: '/ws',
      jwt: { secret: JWT_SECRET, algorithms: ['HS256'] },
      backend: redisBackend({ url: REDIS_URL, prefix: 'sample-03' }),
      // A page that came from one node goes on with the other when the first is gone.
      allowedOrigins: NODES,
      centrifuge: true,
    }),
    JwtModule.register({ secret: JWT_SECRET, signOptions: { algorithm: 'HS256', expiresIn: '1h' } }),
  ],
  controllers: [AuthController, NodeController],
  providers: [
    AiChatTopic,
    // A real provider comes here.
    { provide: LanguageModel, useClass: FakeModel },
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule {}
