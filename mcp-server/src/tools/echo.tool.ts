/** Owns the tool `echo`: the simplest test of a connection. */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';

export default defineTool({
  name: 'echo',
  title: 'Echo',
  description: 'Gives back the message that it is given, word for word. Use it to see whether the connection works.',
  input: z.object({ message: z.string().max(100_000).describe('What to give back') }),
  output: z.object({ echoed_message: z.string() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: ({ message }) => ({ text: `Echo: ${message}`, structured: { echoed_message: message } }),
});
