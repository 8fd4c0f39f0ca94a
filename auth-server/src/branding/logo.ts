/**
 * Owns the logo: a file that is read at start and becomes a data URI. Pages show it by `img`, where an SVG runs no script and loads
 * nothing (SVG 2 §2.7.1, secure static mode); the content, not the name of the file, decides what it is.
 */
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { z } from 'zod';

/** Bytes: each page carries it. */
const LARGEST = 65_536;

export const logo = (): z.ZodType<string, string> =>
  z.string().transform((path, context) => {
    try {
      return dataUriOf(read(path.trim()));
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

function read(path: string): Buffer {
  const file = readSettingFile(path, path);
  if (file.length > LARGEST) throw new Error(`${path} has more than ${LARGEST} bytes`);
  return file;
}

const startsWith =
  (...bytes: readonly number[]) =>
  (file: Buffer): boolean =>
    file.subarray(0, bytes.length).equals(Buffer.from(bytes));

/** A comment, a declaration and a document type may precede the root element. */
const SVG_ROOT =
  /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:[^-]|-(?!->))*-->\s*)*(?:<!DOCTYPE svg[^>[]*>\s*)?<svg[\s>]/;

const TYPES: readonly (readonly [type: string, is: (file: Buffer) => boolean])[] = [
  ['image/png', startsWith(0x89, 0x50, 0x4e, 0x47)],
  ['image/jpeg', startsWith(0xff, 0xd8, 0xff)],
  ['image/webp', (file) => /^RIFF[\s\S]{4}WEBP/.test(file.subarray(0, 12).toString('latin1'))],
  ['image/svg+xml', (file) => SVG_ROOT.test(file.subarray(0, 4_096).toString('utf8'))],
];

/** @throws Error when it is no image of a known type */
export function dataUriOf(file: Buffer): string {
  const [type] = TYPES.find(([, is]) => is(file)) ?? [];
  if (type === undefined) throw new Error('the file is not a PNG, JPEG, WebP or SVG image');
  return `data:${type};base64,${file.toString('base64')}`;
}
