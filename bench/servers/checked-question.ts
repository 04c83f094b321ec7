import { Injectable, type CanActivate } from '@nestjs/common';
import { IsNumber, IsString, Length } from 'class-validator';

/** The payload that a `ValidationPipe` checks. */
export class CheckedQuestion {
  @IsNumber()
  ts!: number;

  @IsString()
  @Length(1, 280)
  text!: string;
}

/** A guard that lets every call pass. */
@Injectable()
export class OpenGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
