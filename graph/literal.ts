/**
 * Arithmetic on literal sizes in types, digit by digit as on paper, so that its cost grows with the digits and not with
 * the number: `Mul<224, 224>` is 50176. Whole numbers from 0; `number` where an operand is not such a literal.
 */

/** A number's digits, the lowest first; never where it is not written in digits only. */
type Digits<S extends string, Low extends readonly Digit[] = []> = S extends `${infer D extends Digit}${infer Rest}`
  ? Digits<Rest, [D, ...Low]>
  : S extends ""
    ? Low
    : never;

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Digits, the lowest first, back to a number. */
type Value<Low extends readonly Digit[], S extends string = ""> = Low extends readonly [
  infer D extends Digit,
  ...infer Rest extends readonly Digit[],
]
  ? Value<Rest, `${D}${S}`>
  : Unpadded<S> extends `${infer N extends number}`
    ? N
    : never;

type Unpadded<S extends string> = S extends `0${infer Rest}` ? (Rest extends "" ? S : Unpadded<Rest>) : S;

/** Lists as long as a digit: their joined length is the sum. */
interface Unary {
  0: [];
  1: [1];
  2: [1, 1];
  3: [1, 1, 1];
  4: [1, 1, 1, 1];
  5: [1, 1, 1, 1, 1];
  6: [1, 1, 1, 1, 1, 1];
  7: [1, 1, 1, 1, 1, 1, 1];
  8: [1, 1, 1, 1, 1, 1, 1, 1];
  9: [1, 1, 1, 1, 1, 1, 1, 1, 1];
}

/** [digit, carry] of 0 to 19. */
interface Split {
  0: [0, 0];
  1: [1, 0];
  2: [2, 0];
  3: [3, 0];
  4: [4, 0];
  5: [5, 0];
  6: [6, 0];
  7: [7, 0];
  8: [8, 0];
  9: [9, 0];
  10: [0, 1];
  11: [1, 1];
  12: [2, 1];
  13: [3, 1];
  14: [4, 1];
  15: [5, 1];
  16: [6, 1];
  17: [7, 1];
  18: [8, 1];
  19: [9, 1];
}

/** [digit, carry] of a + b + carry. */
type Sum<A extends Digit, B extends Digit, C extends Digit> = [
  ...Unary[A],
  ...Unary[B],
  ...Unary[C],
]["length"] extends infer N extends keyof Split
  ? Split[N]
  : never;

type AddDigits<
  A extends readonly Digit[],
  B extends readonly Digit[],
  Carry extends Digit = 0,
  Done extends readonly Digit[] = [],
> = A extends readonly [infer X extends Digit, ...infer As extends readonly Digit[]]
  ? B extends readonly [infer Y extends Digit, ...infer Bs extends readonly Digit[]]
    ? Sum<X, Y, Carry> extends readonly [infer D extends Digit, infer C extends Digit]
      ? AddDigits<As, Bs, C, [...Done, D]>
      : never
    : Carry extends 0
      ? [...Done, ...A]
      : AddDigits<A, [0], Carry, Done>
  : B extends readonly []
    ? Carry extends 0
      ? Done
      : [...Done, Carry]
    : AddDigits<B, A, Carry, Done>;

/** Products of two digits, as [digit, carry]; row and column are the factors. */
type Times = [
  [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]],
  [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0], [7, 0], [8, 0], [9, 0]],
  [[0, 0], [2, 0], [4, 0], [6, 0], [8, 0], [0, 1], [2, 1], [4, 1], [6, 1], [8, 1]],
  [[0, 0], [3, 0], [6, 0], [9, 0], [2, 1], [5, 1], [8, 1], [1, 2], [4, 2], [7, 2]],
  [[0, 0], [4, 0], [8, 0], [2, 1], [6, 1], [0, 2], [4, 2], [8, 2], [2, 3], [6, 3]],
  [[0, 0], [5, 0], [0, 1], [5, 1], [0, 2], [5, 2], [0, 3], [5, 3], [0, 4], [5, 4]],
  [[0, 0], [6, 0], [2, 1], [8, 1], [4, 2], [0, 3], [6, 3], [2, 4], [8, 4], [4, 5]],
  [[0, 0], [7, 0], [4, 1], [1, 2], [8, 2], [5, 3], [2, 4], [9, 4], [6, 5], [3, 6]],
  [[0, 0], [8, 0], [6, 1], [4, 2], [2, 3], [0, 4], [8, 4], [6, 5], [4, 6], [2, 7]],
  [[0, 0], [9, 0], [8, 1], [7, 2], [6, 3], [5, 4], [4, 5], [3, 6], [2, 7], [1, 8]],
];

/** The number times one digit. The carry stays below 9. */
type Scale<
  A extends readonly Digit[],
  F extends Digit,
  Carry extends Digit = 0,
  Done extends readonly Digit[] = [],
> = A extends readonly [infer X extends Digit, ...infer As extends readonly Digit[]]
  ? Times[X][F] extends readonly [infer Low extends Digit, infer High extends Digit]
    ? Sum<Low, Carry, 0> extends readonly [infer D extends Digit, infer C extends Digit]
      ? Sum<High, C, 0> extends readonly [infer Next extends Digit, Digit]
        ? Scale<As, F, Next, [...Done, D]>
        : never
      : never
    : never
  : [...Done, Carry];

/** Adds A times each digit of B, shifted by one place a digit. */
type MulDigits<
  A extends readonly Digit[],
  B extends readonly Digit[],
  Total extends readonly Digit[] = [],
> = B extends readonly [infer F extends Digit, ...infer Bs extends readonly Digit[]]
  ? Scale<A, F> extends infer Row extends readonly Digit[]
    ? AddDigits<Total, Row> extends infer Next extends readonly Digit[]
      ? MulDigits<[0, ...A], Bs, Next>
      : never
    : never
  : Total;

/** Never where one of the two is not written in digits: -1, 1.5, 1e21. */
type AddLiterals<A extends number, B extends number> = [Digits<`${A}`>, Digits<`${B}`>] extends [
  infer X extends readonly Digit[],
  infer Y extends readonly Digit[],
]
  ? AddDigits<X, Y> extends infer Total extends readonly Digit[]
    ? Value<Total>
    : never
  : never;

type MulLiterals<A extends number, B extends number> = [Digits<`${A}`>, Digits<`${B}`>] extends [
  infer X extends readonly Digit[],
  infer Y extends readonly Digit[],
]
  ? MulDigits<X, Y> extends infer Total extends readonly Digit[]
    ? Value<Total>
    : never
  : never;

/** `N`, or number where it is never. The compiler sees `number` where sizes are still open, and looks no deeper. */
type Sized<N> = [N] extends [never] ? number : N extends infer L extends number ? L : number;

/** A + B. */
export type Add<A extends number, B extends number> = number extends A | B ? number : Sized<AddLiterals<A, B>>;

/** A x B. */
export type Mul<A extends number, B extends number> = number extends A | B ? number : Sized<MulLiterals<A, B>>;

/** The product of all, step by step; 1 of none, `number` of an open list. */
export type Product<N extends readonly number[]> = number extends N["length"] ? number : Multiplied<N>;

type Multiplied<N extends readonly number[], Done extends number = 1> = N extends readonly [
  infer Next extends number,
  ...infer Rest extends readonly number[],
]
  ? Mul<Done, Next> extends infer P extends number
    ? Multiplied<Rest, P>
    : never
  : Done;
