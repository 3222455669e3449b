/** How many columns of a terminal a character takes. */

const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const NONE = /[\p{Mark}\p{Cf}\u1160-\u11ff]/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Filled as characters come up: a regular expression for each would be slow. */
const known = new Map<string, number>();

export function charWidth(character: string): number {
  let width = known.get(character);
  if (width === undefined) {
    width = NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
    known.set(character, width);
  }
  return width;
}

/** The columns of a text without control characters. */
export function columns(text: string): number {
  if (PLAIN.test(text)) {
    return text.length;
  }
  let sum = 0;
  for (const character of text) {
    sum += charWidth(character);
  }
  return sum;
}
