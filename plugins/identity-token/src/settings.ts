import { Type } from '@tappaas/sdk';

/** The plugin's configuration. */
export const settingsSchema = Type.Object({
  lifetimeDays: Type.Integer({ default: 90, minimum: 1, maximum: 3650, description: 'Lifetime of a token without an expiry date, days.' }),
  lifetimeDaysMax: Type.Integer({ default: 365, minimum: 1, maximum: 3650, description: 'Maximum lifetime of a token, days from now.' }),
  tokensPerPersonMax: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description: 'Maximum number of tokens per user, including expired ones that are still listed.',
  }),
  expiredKeptDays: Type.Integer({ default: 30, minimum: 0, maximum: 3650, description: 'How long an expired token stays listed, days.' }),
});

/** The plugin's configuration with defaults filled in. */
export type Settings = Type.Static<typeof settingsSchema>;

/** Milliseconds per day. */
export const dayMs = 86_400_000;
