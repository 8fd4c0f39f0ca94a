/**
 * Owns the tool `flood`: an answer of any length, immediate, delayed, or after a notification that makes it a stream.
 */
import { z } from 'zod';
import { defineTool } from '../../../mcp-server/src/protocol/define.ts';

export default defineTool({
  name: 'flood',
  title: 'Flood',
  description: 'Answers with as many characters as it is told.',
  input: z.object({ characters: z.int(), how: z.enum(['at once', 'later', 'as a stream']).default('at once') }),
  run: ({ characters, how }, { log }) => {
    // Each call builds a string of its own.
    const said = () => ({ text: Buffer.alloc(characters, 'x').toString('latin1') });
    if (how === 'at once') return said();
    return (how === 'later' ? Promise.resolve() : log('info', 'it comes')).then(said);
  },
});
