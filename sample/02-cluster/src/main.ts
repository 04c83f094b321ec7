import 'reflect-metadata';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { NODES } from './environment.js';

/** The folder of the samples: the compiled code of both stands in `02-cluster/dist`. */
const SAMPLES = join(import.meta.dirname, '../../../..');

/** The SDK's bundle for browsers that do not load npm modules: one script, which sets `Centrifuge`. */
const SDK = fileURLToPath(new URL('../dist', import.meta.resolve('centrifuge')));

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['warn', 'error'] });
app.enableCors({ origin: NODES });
// The first folder wins if both contain a file, so that this sample's page replaces the other's.
app.useStaticAssets(join(SAMPLES, '02-cluster/public'));
app.useStaticAssets(join(SAMPLES, '01-notifications/public'));
app.useStaticAssets(SDK, { prefix: '/centrifuge' });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT']), '127.0.0.1');

// A node does not outlive its launcher.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.send?.('listening');
