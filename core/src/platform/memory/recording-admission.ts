import { isTapError } from '@tappaas/sdk';
import type { Admission, AdmissionRequest, TapDenial } from '../../ports/admission.js';

/** Admission that can collect denials: a request whose id is being listened to passes, whatever the taps deny. */
export class RecordingAdmission implements Admission {
  readonly #admission: Admission;
  readonly #denials = new Map<string, TapDenial[]>();

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Collects the denials of the request while `ask` runs. */
  async listen<T>(requestId: string, ask: () => Promise<T>): Promise<{ readonly answer: T; readonly denials: readonly TapDenial[] }> {
    const denials: TapDenial[] = [];
    this.#denials.set(requestId, denials);
    try {
      return { answer: await ask(), denials };
    } finally {
      this.#denials.delete(requestId);
    }
  }

  async mutate(request: AdmissionRequest): ReturnType<Admission['mutate']> {
    const denials = this.#denials.get(request.requestId);
    if (denials === undefined) return this.#admission.mutate(request);
    try {
      return await this.#admission.mutate(request);
    } catch (error) {
      denials.push(...causesOf(error));
      return { object: request.object, changes: [] };
    }
  }

  async validate(request: AdmissionRequest): Promise<readonly TapDenial[]> {
    const denials = this.#denials.get(request.requestId);
    if (denials === undefined) return this.#admission.validate(request);
    denials.push(...(await this.#admission.validate(request).catch(causesOf)));
    return [];
  }

  claims(request: Parameters<Admission['claims']>[0]): ReturnType<Admission['claims']> {
    return this.#admission.claims(request);
  }
}

/** A failed tap counts as a denial that names its plugin, as in the API. */
function causesOf(error: unknown): readonly TapDenial[] {
  if (isTapError(error, 'TAP_ADMISSION_PLUGIN_FAILED')) return (error as { causes?: readonly TapDenial[] }).causes ?? [];
  throw error;
}
