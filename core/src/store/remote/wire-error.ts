import { isTapError, storeErrors, type TapError } from '@tappaas/sdk';

/** An error of the store's table in serializable form; its cause stays in the process that threw it. */
export interface WireError {
  readonly code: keyof typeof storeErrors;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly data?: TapError['data'];
}

/** Serializes an error; one that is not in the table becomes a failure of the store. */
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
