import { join } from 'node:path';
import { launch } from './launch.js';

launch({ program: join(import.meta.dirname, '../main.js'), page: '/cluster.html' });
