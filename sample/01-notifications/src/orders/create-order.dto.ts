import { IsInt, Length, Max, Min } from 'class-validator';

/** Body of `POST /orders`. */
export class CreateOrderDto {
  @Length(1, 80)
  item!: string;

  @IsInt()
  @Min(1)
  @Max(20)
  quantity!: number;
}
