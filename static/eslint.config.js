import js from '@eslint/js';
import globals from 'globals';

export default [
  {ignores: ['dist/**', 'dist.*/**', 'node_modules/**']},
  js.configs.recommended,
  {
    files: ['src/**/*.js'],
    languageOptions: {globals: {...globals.browser, ...globals.serviceworker, __ICONS__: 'readonly', __EMPTY_GIF__: 'readonly', __BUILD__: 'readonly', __MANIFEST__: 'readonly'}},
  },
  {
    files: ['*.mjs', '*.js', '**/*.test.js'],
    languageOptions: {globals: globals.node},
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-implied-eval': 'error',
      // Data must never become markup.
      'no-restricted-properties': ['error',
        {property: 'innerHTML', message: 'Build elements with lib/dom.js.'},
        {property: 'outerHTML', message: 'Build elements with lib/dom.js.'},
        {property: 'insertAdjacentHTML', message: 'Build elements with lib/dom.js.'}],
    },
  },
];
