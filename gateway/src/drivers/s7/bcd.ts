/** Digits of a packed decimal number; undefined when a digit is none. */
export function bcd(packed: number, digits: number): number | undefined {
  let value = 0;
  for (let digit = digits - 1; digit >= 0; digit--) {
    const one = (packed >> (digit * 4)) & 0xf;
    if (one > 9) return undefined;
    value = value * 10 + one;
  }
  return value;
}

export function toBcd(value: number, digits: number): number {
  let packed = 0;
  for (let digit = 0, left = value; digit < digits; digit++, left = Math.floor(left / 10)) {
    packed |= (left % 10) << (digit * 4);
  }
  return packed;
}
