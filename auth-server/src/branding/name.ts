/** Owns the type of BRAND_NAME: one line of limited length. */
import { z } from 'zod';

const LONGEST = 60;

export const brandName = (): z.ZodType<string, string> =>
  z
    .string()
    .trim()
    .min(1)
    .refine((name) => [...name].length <= LONGEST && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name), {
      error: `expected one line of at most ${LONGEST} characters`,
    });
