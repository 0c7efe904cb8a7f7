/** How far a function is, as every callback is told. */

export interface Progress {
  /** The fraction done, from 0 to 1, where the work has an extent that is known. */
  readonly done?: number | undefined
  /** Milliseconds since the function began. */
  readonly elapsed: number
  /** Milliseconds that similar work took here before, the median; absent where there was none. */
  readonly usual?: number | undefined
}

/**
 * The application's callback, called with CKN_SURRENDER (PKCS #11 3.2, 5.21). It answers a CK_RV:
 * CKR_CANCEL stops the function, everything else lets it go on.
 */
export type Notify = (event: number, progress: Progress) => number | Promise<number>
