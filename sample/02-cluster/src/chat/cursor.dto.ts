import { IsNumber, Max, Min } from 'class-validator';

/** The position of a cursor, as parts of the width and height of the board. */
export class CursorDto {
  @IsNumber()
  @Min(0)
  @Max(1)
  x!: number;

  @IsNumber()
  @Min(0)
  @Max(1)
  y!: number;
}
