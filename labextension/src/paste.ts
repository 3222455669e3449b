/** What of a clipboard's text goes to a program. No DOM. */

/**
 * Without control characters but tab and newline. With bracketed paste a program takes what is between two marks for
 * pasted; an end mark inside the text would let the rest of it count as typed.
 */
export function pasteable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '');
}
