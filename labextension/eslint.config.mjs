import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

// The floors of the house. A module imports from its own floor and those below; what is not named here is a widget
// or a command, on the floor below the plugins.
const GROUND = [
  'models',
  'sse',
  'dotenv',
  'lifetimes',
  'words',
  'weaverfilter',
  'ansi',
  'backoff',
  'charwidth',
  'credit',
  'notebookspec',
  'paste',
  'terminalprotocol'
];
const LINKS = [
  'api',
  'attachment',
  'deletions',
  'eventlink',
  'logstream',
  'terminalserver',
  'terminalsocket',
  'tokens',
  'weaverform',
  'weaverstore'
];
const noneBut = names => ({
  regex: `^\\.\\.?/(?!(${names.join('|')})$)`,
  message: 'index → plugins → widgets, commands → links → models, tokens: imports run one way.'
});

const floor = (files, pattern) => ({
  files,
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: [pattern] }]
  }
});

export default tseslint.config(
  { ignores: ['dist', 'lib', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  reactHooks.configs.flat.recommended,
  {
    rules: {
      curly: 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300 }],
      // `IWeavers` is a token and a type, as JupyterLab's own are; command ids stand in a namespace, likewise.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error'
    }
  },
  floor(['src/*.{ts,tsx}'], {
    regex: '^\\./(index|plugins/.*)$',
    message: 'index → plugins → widgets, commands: imports run one way.'
  }),
  floor(
    GROUND.map(name => `src/${name}.ts`),
    noneBut(GROUND)
  ),
  floor(
    LINKS.map(name => `src/${name}.ts`),
    noneBut([...GROUND, ...LINKS])
  ),
  floor(['src/plugins/*.{ts,tsx}'], {
    regex: '(^|/)index$',
    message: 'index → plugins: imports run one way.'
  }),
  {
    files: ['src/index.ts', 'src/__tests__/**'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' }
  }
);
