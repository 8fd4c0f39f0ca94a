/** Owns the type of a setting that pages link: a URL of a scheme that runs nothing. */
import { z } from 'zod';

export const link = (...schemes: readonly string[]): z.ZodType<string, string> =>
  z.string().transform((text, context) => {
    const url = URL.parse(text.trim());
    const isUsable = url && schemes.includes(url.protocol) && (url.host !== '' || url.protocol === 'mailto:');
    if (isUsable && (url.host !== '' || url.pathname.includes('@')) && url.username + url.password === '')
      return url.href;
    const expected = schemes.map((scheme) => (scheme === 'mailto:' ? 'mailto:somebody@example.com' : `${scheme}//…`));
    context.addIssue({ code: 'custom', message: `expected ${expected.join(' or ')}` });
    return z.NEVER;
  });
