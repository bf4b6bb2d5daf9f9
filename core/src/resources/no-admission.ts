import type { Admission, AdmissionRequest } from '../ports/admission.js';

/** Admission without taps. */
export const noAdmission: Admission = Object.freeze({
  mutate: ({ object }: AdmissionRequest) => Promise.resolve({ object, changes: [] }),
  validate: () => Promise.resolve([]),
  claims: () => [],
});
