/** Environment variables as people keep them in `.env` files. */

export interface IPair {
  name: string;
  value: string;
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;
const DOUBLE_QUOTED = /^"((?:[^"\\]|\\.)*)"/;
const SINGLE_QUOTED = /^'([^']*)'/;
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** The variables of `text`; null where any line is something else than a variable, a comment or empty. */
export function parseDotenv(text: string): IPair[] | null {
  const pairs: IPair[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === '' || line.trim().startsWith('#')) {
      continue;
    }
    const match = LINE.exec(line);
    if (!match) {
      return null;
    }
    pairs.push({ name: match[1]!, value: unquoted(match[2]!) });
  }
  return pairs.length > 0 ? pairs : null;
}

function unquoted(text: string): string {
  const double = DOUBLE_QUOTED.exec(text);
  if (double) {
    return double[1]!.replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
  }
  const single = SINGLE_QUOTED.exec(text);
  return single ? single[1]! : text.replace(/\s#.*$/, '').trim();
}
