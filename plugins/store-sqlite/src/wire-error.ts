import { storeErrors, type TapError } from '@tappaas/sdk/store';
import type { WireError } from './protocol.js';

/** An error of the store's table made ready to cross to another thread. Its cause stays here. */
export function wireError(error: TapError): WireError {
  return { code: error.code as WireError['code'], message: error.message, data: error.data };
}

/** The error on the other side. */
export function fromWire({ code, message, data }: WireError): TapError {
  return storeErrors[code]({ message, ...(data && { data }) });
}
