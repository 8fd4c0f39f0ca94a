/** Owns the accent colour: from one colour of the operator, shades that can be read on light and on dark pages (WCAG 2.2 §1.4.3). */
import { z } from 'zod';

type Colour = readonly [red: number, green: number, blue: number];

export interface Shade {
  /** Of links, borders and buttons. */
  readonly accent: string;
  /** Of the text on buttons. */
  readonly onAccent: string;
}

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];

/** WCAG 2.2 §1.4.3 level AA for text. */
const ENOUGH = 4.5;
const STEPS = 50;

export const accentColour = (): z.ZodType<string, string> =>
  z
    .string()
    .trim()
    .regex(/^#?[\da-f]{6}$/i, 'expected a colour such as #0b7285')
    .transform((text) => `#${text.replace('#', '').toLowerCase()}`);

export const parseColour = (text: string): Colour => {
  const [red = 0, green = 0, blue = 0] = (text.slice(1).match(/../g) ?? []).map((part) => Number.parseInt(part, 16));
  return [red, green, blue];
};

const written = (colour: Colour): string => `#${Buffer.from(colour.map(Math.round)).toString('hex')}`;

/** WCAG 2.2, relative luminance. */
function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2, contrast ratio: from 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

const mixed = (colour: Colour, other: Colour, share: number): Colour => {
  const part = (index: 0 | 1 | 2) => Math.round(colour[index] * (1 - share) + other[index] * share);
  return [part(0), part(1), part(2)];
};

/**
 * The colour itself if it can be read on all grounds, else the nearest shade of it that can.
 * @param towards black for light grounds, white for dark ones
 */
function readable(colour: Colour, grounds: readonly Colour[], towards: Colour): Colour {
  const shades = Array.from({ length: STEPS + 1 }, (_, step) => mixed(colour, towards, step / STEPS));
  return shades.find((shade) => grounds.every((ground) => contrast(shade, ground) >= ENOUGH)) ?? towards;
}

/** One of the two always has enough contrast: their ratios multiply to 21. */
const textOn = (colour: Colour): Colour => (contrast(colour, WHITE) >= contrast(colour, BLACK) ? WHITE : BLACK);

/** @param grounds colours of the page on which the accent stands */
export function shadeFor(colour: string, grounds: readonly string[], scheme: 'light' | 'dark'): Shade {
  const accent = readable(parseColour(colour), grounds.map(parseColour), scheme === 'light' ? BLACK : WHITE);
  return { accent: written(accent), onAccent: written(textOn(accent)) };
}
