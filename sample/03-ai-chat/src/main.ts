import 'reflect-metadata';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { NODES } from '../../02-cluster/src/environment.js';
import { AppModule } from './app.module.js';

/** The folder of the samples: the compiled code of all of them stands in `03-ai-chat/dist`. */
const SAMPLES = join(import.meta.dirname, '../../../..');

/** The SDK's bundle for browsers that do not load npm modules: one script, which sets `Centrifuge`. */
const SDK = fileURLToPath(new URL('../dist', import.meta.resolve('centrifuge')));

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['warn', 'error'] });
app.enableCors({ origin: NODES });
// The first folder wins, so this page takes the place of the others, and shares how they log in and connect.
for (const sample of ['03-ai-chat', '02-cluster', '01-notifications'])
  app.useStaticAssets(join(SAMPLES, sample, 'public'));
app.useStaticAssets(SDK, { prefix: '/centrifuge' });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT']), '127.0.0.1');

// A node does not outlive its launcher.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.send?.('listening');
