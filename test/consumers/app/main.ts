import 'reflect-metadata';
import { talk } from './chat.js';

talk().then(
  (said) => console.log(`delivered: ${JSON.stringify(said)}`),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
