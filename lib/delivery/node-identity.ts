import { Injectable } from '@nestjs/common';
import { IdGenerator } from '../ports/id-generator.js';

/** The name of this node: random, so that no two application instances ever share one. */
@Injectable()
export class NodeIdentity {
  readonly id: string;

  constructor(ids: IdGenerator) {
    this.id = ids.next();
  }
}
