/** Arithmetic on literal types. Type-checking this file is the test; running it proves nothing. */

import { expectTypeOf, test } from "vitest";
import type { Add, Mul } from "../../graph/index.js";

test("literal sums", () => {
  expectTypeOf<Add<196, 1>>().toEqualTypeOf<197>();
  expectTypeOf<Add<0, 0>>().toEqualTypeOf<0>();
  expectTypeOf<Add<0, 7>>().toEqualTypeOf<7>();
  expectTypeOf<Add<9, 1>>().toEqualTypeOf<10>();
  expectTypeOf<Add<1, 999>>().toEqualTypeOf<1000>();
  expectTypeOf<Add<999999, 1>>().toEqualTypeOf<1000000>();
  expectTypeOf<Add<111907840, 217633668>>().toEqualTypeOf<329541508>();
});

test("literal products", () => {
  expectTypeOf<Mul<224, 224>>().toEqualTypeOf<50176>();
  expectTypeOf<Mul<0, 224>>().toEqualTypeOf<0>();
  expectTypeOf<Mul<224, 0>>().toEqualTypeOf<0>();
  expectTypeOf<Mul<1, 768>>().toEqualTypeOf<768>();
  expectTypeOf<Mul<100, 100>>().toEqualTypeOf<10000>();
  expectTypeOf<Mul<999, 999>>().toEqualTypeOf<998001>();
  expectTypeOf<Mul<65536, 65536>>().toEqualTypeOf<4294967296>();
  expectTypeOf<Mul<Mul<16, 16>, 3>>().toEqualTypeOf<768>();
  expectTypeOf<Mul<12345, 6789>>().toEqualTypeOf<83810205>();
});

test("sizes that are not known, or no whole numbers, stay numbers", () => {
  expectTypeOf<Add<number, 1>>().toEqualTypeOf<number>();
  expectTypeOf<Mul<3, number>>().toEqualTypeOf<number>();
  expectTypeOf<Add<-1, 3>>().toEqualTypeOf<number>();
  expectTypeOf<Mul<1.5, 2>>().toEqualTypeOf<number>();
});
