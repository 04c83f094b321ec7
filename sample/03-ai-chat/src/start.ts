import { join } from 'node:path';
import { launch } from '../../02-cluster/src/launcher/launch.js';

launch({ program: join(import.meta.dirname, 'main.js'), page: '/' });
