/** Owns the tool `sum`: exact addition of decimal numbers, where 0.1 + 0.2 is 0.3. */

import { z } from 'zod';
import { defineTool, ToolError } from '../protocol/define.ts';

export default defineTool({
  name: 'sum',
  title: 'Sum',
  description: 'Adds two numbers exactly, as decimal numbers: 0.1 and 0.2 give 0.3.',
  input: z.object({ a: z.number().describe('The first number'), b: z.number().describe('The second number') }),
  output: z.object({ result: z.number() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: ({ a, b }) => {
    const exact = addDecimals(a, b);
    const result = Number(exact);
    if (!Number.isFinite(result)) throw new ToolError('The sum is too large for a number; use smaller ones.');
    return { text: `The sum of ${a} and ${b} is ${exact.length > 40 ? result : exact}`, structured: { result } };
  },
});

interface Decimal {
  readonly digits: bigint;
  /** The value is digits / 10^scale. */
  readonly scale: number;
}

function addDecimals(a: number, b: number): string {
  const [x, y] = [toDecimal(a), toDecimal(b)];
  const scale = Math.max(x.scale, y.scale);
  return toText({ digits: rescale(x, scale) + rescale(y, scale), scale });
}

/** The shortest decimal that represents this number, which is the one that was typed. */
function toDecimal(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

const rescale = ({ digits, scale }: Decimal, to: number): bigint => digits * 10n ** BigInt(to - scale);

function toText({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const padded = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const whole = padded.slice(0, padded.length - scale);
  const fraction = padded.slice(padded.length - scale).replace(/0+$/, '');
  return `${sign}${whole}${fraction && `.${fraction}`}`;
}
