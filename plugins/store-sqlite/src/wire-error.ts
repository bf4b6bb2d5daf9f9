import { storeErrors, type TapError } from '@tappaas/sdk/store';
import type { WireError } from './protocol.js';

/** Converts an error of the store for another thread. Its cause is not sent. */
export function wireError(error: TapError): WireError {
  return { code: error.code as WireError['code'], message: error.message, data: error.data };
}

/** Converts the error back on the other thread. */
export function fromWire({ code, message, data }: WireError): TapError {
  return storeErrors[code]({ message, ...(data && { data }) });
}
