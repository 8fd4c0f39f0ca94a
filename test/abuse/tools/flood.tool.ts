/** Owns the tool `flood`: an answer as long as the caller wants it, at once, later, or after a word that makes it a stream. */
import { z } from 'zod';
import { defineTool } from '../../../mcp-server/src/protocol/define.ts';

export default defineTool({
  name: 'flood',
  title: 'Flood',
  description: 'Answers with as many characters as it is told.',
  input: z.object({ characters: z.int(), how: z.enum(['at once', 'later', 'as a stream']).default('at once') }),
  run: ({ characters, how }, { log }) => {
    // A string of its own for each call.
    const said = () => ({ text: Buffer.alloc(characters, 'x').toString('latin1') });
    if (how === 'at once') return said();
    return (how === 'later' ? Promise.resolve() : log('info', 'it comes')).then(said);
  },
});
