/** What is on screen of what came, for a server that holds output back while more than 1 MiB is not. No I/O. */

/** Drawn bytes are told in such steps, far below the credit. */
const STEP = 64 * 1024;

export class Credit {
  /** Bytes that came, over whichever link, and are not drawn yet. */
  get undrawn(): number {
    return this._undrawn;
  }

  took(bytes: number): void {
    this._undrawn += bytes;
  }

  /** So many are drawn; returns how many to acknowledge now. The first do at once: flow control begins with them. */
  drew(bytes: number): number {
    this._undrawn -= bytes;
    const earlier = Math.min(bytes, this._ofEarlierLinks);
    this._ofEarlierLinks -= earlier;
    this._due += bytes - earlier;
    if (this._due < (this._begun ? STEP : 1)) {
      return 0;
    }
    const due = this._due;
    this._begun = true;
    this._due = 0;
    return due;
  }

  /** There is another link, which knows nothing of what came over the one before. */
  restart(): void {
    this._begun = false;
    this._due = 0;
    this._ofEarlierLinks = this._undrawn;
  }

  private _undrawn = 0;
  private _due = 0;
  private _begun = false;
  private _ofEarlierLinks = 0;
}
