export * as Type from 'typebox';
export * from './values.js';
export * from './change.js';
export * from './secret.js';
export * from './errors.js';
export * from './families/store.js';
