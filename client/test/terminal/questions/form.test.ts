/** Proves how a form of a server is filled in on the terminal. */
import { describe, expect, it } from 'vitest';
import { fillIn } from '../../../src/terminal/questions/form.ts';

/** Answers each question with the next line. */
async function filled(
  properties: object,
  lines: readonly string[],
  required: readonly string[] = Object.keys(properties),
) {
  const rest = [...lines];
  const asked: string[] = [];
  const answer = await fillIn({ message: 'Who?', schema: { properties, required } }, 'a.example', async (text) => {
    asked.push(text);
    return rest.shift();
  });
  return { answer, asked };
}

const accepted = (content: object) => ({ action: 'accept', content });

describe('a form of a server', () => {
  it('MCP, elicitation: says who asks, and lets the person decline before any field', async () => {
    const { answer, asked } = await filled({ name: { type: 'string' } }, ['n']);
    expect(asked).toEqual(['\na.example asks: Who?\nAnswer? [Y/n] ']);
    expect(answer).toEqual({ action: 'decline' });
  });

  it.each(['no', 'nope', 'https://next.example/mcp', 'a secret', 'yes please'])(
    'MCP, elicitation: a line such as %j is no consent, and nothing of it is sent',
    async (line) => {
      const { answer, asked } = await filled({ name: { type: 'string' } }, [line, 'Alice']);
      expect([answer, asked.length]).toEqual([{ action: 'decline' }, 1]);
    },
  );

  it('CWE-451 a line of the server does not look like a line of this program', async () => {
    const asked: string[] = [];
    const field = {
      type: 'string',
      title: 'Name\nclient: signed out',
      description: 'a\r\nclient: b',
      default: 'c\nclient: d',
      enum: ['x\nclient: y'],
    };
    await fillIn(
      { message: 'Who?\r\nclient: enter your password', schema: { properties: { field } } },
      'a.example',
      async (text) => {
        asked.push(text);
        return asked.length > 1 ? undefined : 'y';
      },
    );
    expect(asked).toHaveLength(2);
    expect(asked.join('')).not.toMatch(/^client: /m);
    expect(asked[0]).toBe('\na.example asks: Who?\n  > client: enter your password\nAnswer? [Y/n] ');
  });

  it('MCP, elicitation: the end of the input cancels, at any field', async () => {
    expect((await filled({ name: { type: 'string' } }, [])).answer).toEqual({ action: 'cancel' });
    expect((await filled({ a: { type: 'string' }, b: { type: 'string' } }, ['y', 'one'])).answer).toEqual({
      action: 'cancel',
    });
  });

  it.each([
    [{ type: 'string' }, 'Alice', 'Alice'],
    [{ type: 'string', format: 'email' }, 'a@b.example', 'a@b.example'],
    [{ type: 'boolean' }, 'Yes', true],
    [{ type: 'boolean' }, 'n', false],
    [{ type: 'integer' }, ' 7 ', 7],
    [{ type: 'number', minimum: 0 }, '0.5', 0.5],
    [{ type: 'string', enum: ['red', 'blue'] }, '2', 'blue'],
    [{ type: 'string', enum: ['red', 'blue'] }, 'red', 'red'],
    [{ type: 'string', oneOf: [{ const: 'r', title: 'Red' }] }, '1', 'r'],
    [{ type: 'array', items: { enum: ['red', 'blue', 'green'] } }, '1, 3', ['red', 'green']],
    [{ type: 'array', items: { anyOf: [{ const: 'r', title: 'Red' }] } }, '1', ['r']],
    [{ type: 'integer', default: 5 }, '', 5],
  ])('MCP, elicitation: %j with %j is %j', async (field, line, value) => {
    expect((await filled({ field }, ['y', line])).answer).toEqual(accepted({ field: value }));
  });

  it.each([
    [{ type: 'string', minLength: 2 }, 'a', 'at least 2 characters'],
    [{ type: 'string', maxLength: 2 }, 'abc', 'at most 2 characters'],
    [{ type: 'string', format: 'date' }, '2026-13-01', 'a text in the format date'],
    [{ type: 'boolean' }, 'maybe', 'y or n'],
    [{ type: 'integer' }, '1.5', 'a whole number'],
    [{ type: 'number' }, 'one', 'a number'],
    [{ type: 'number', maximum: 3 }, '4', 'at most 3'],
    [{ type: 'string', enum: ['red', 'blue'] }, '3', 'a number from 1 to 2'],
    [{ type: 'array', items: { enum: ['red', 'blue'] }, maxItems: 1 }, '1,2', 'at most 1'],
    [{ type: 'integer' }, '', 'a number'],
  ])('%j with %j is asked again, with the reason', async (field, line, reason) => {
    const { answer, asked } = await filled({ field }, ['y', line]);
    expect(asked).toHaveLength(3);
    expect(asked[2]).toMatch(new RegExp(`^ {2}${reason}\n`));
    expect(answer).toEqual({ action: 'cancel' });
  });

  it('an optional field that is left empty is left out', async () => {
    const { answer, asked } = await filled({ note: { type: 'string', description: 'Why' } }, ['', ''], []);
    expect(asked[1]).toBe('note (Why) [optional]: ');
    expect(answer).toEqual(accepted({}));
  });
});
