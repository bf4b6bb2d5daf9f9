import { isTapError, storeErrors, type TapError } from '@tappaas/sdk';

/** An error of the store's table made ready to cross to another process; its cause stays where it was thrown. */
export interface WireError {
  readonly code: keyof typeof storeErrors;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly data?: TapError['data'];
}

/** What is no error of the table is the store's own fault. */
export function toWire(error: unknown): WireError {
  if (isTapError(error) && isOfStore(error.code)) {
    const { code, message, retryAfterMs, data } = error;
    return { code, message, data, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { code: 'TAP_STORE_UNAVAILABLE', message: `the store failed: ${error instanceof Error ? error.message : String(error)}` };
}

export function fromWire({ code, ...details }: WireError): TapError {
  return storeErrors[code](details);
}

function isOfStore(code: string): code is keyof typeof storeErrors {
  return Object.hasOwn(storeErrors, code);
}
