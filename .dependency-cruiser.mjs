// Imports point one way: app → surfaces, sso → directory → platform. `npm run check:imports` enforces it.
const SURFACES = '^server/src/(surfaces|sso|operations)/'
const DIRECTORY = '^server/src/directory/'
const PLATFORM = '^server/src/platform/'
const TESTS = '[.]test[.]ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'surface-without-sql',
      // Remedy: call an operation of the directory; a row type is exported again by the concept's own file
      // (`export type { GroupRow } from './group.sql.ts'` in group.ts).
      comment: 'A surface only translates: it calls operations of the directory and never reaches its SQL.',
      severity: 'error',
      from: { path: SURFACES },
      to: { path: '[.]sql[.]ts$', pathNot: '^server/src/sso/' },
    },
    {
      name: 'surface-without-driver',
      // Remedy: the same; what a surface needs from the database is an operation or a read of the directory.
      comment: 'A surface has no statements of its own: move the SQL to the noun it is about.',
      severity: 'error',
      // surfaces/operations asks the server itself whether it answers; it serves no concept.
      from: { path: '^server/src/surfaces/', pathNot: [TESTS, '^server/src/surfaces/operations/'] },
      to: { path: ['^server/src/platform/postgres/sql[.]ts$', 'node_modules/pg/'] },
    },
    {
      name: 'surface-without-surface',
      // Remedy: what two dialects share is a concept (move it to the directory) or a mechanism (surfaces/http).
      comment:
        'A dialect must be readable and removable alone: of the others it imports only what surfaces/http shares.',
      severity: 'error',
      from: { path: '^server/src/surfaces/([^/]+)/', pathNot: TESTS },
      to: { path: '^server/src/surfaces/([^/]+)/', pathNot: '^server/src/surfaces/($1|http)/' },
    },
    {
      name: 'directory-below-surfaces',
      // Remedy: throw a DirectoryError and let each surface map it; pass plain values, not requests.
      comment: 'The directory knows no HTTP and no dialect: it imports only itself and the platform.',
      severity: 'error',
      from: { path: DIRECTORY, pathNot: TESTS },
      to: {
        path: ['^server/src/', 'node_modules/(fastify|@fastify|fastify-type-provider-zod)/'],
        pathNot: [DIRECTORY, PLATFORM, '^server/src/config[.]ts$'],
      },
    },
    {
      name: 'platform-below-all',
      // Remedy: give the platform a function or a value as an argument, from app.ts.
      comment: 'The platform knows no concept of the product; config.ts is there for StartupError.',
      severity: 'error',
      from: { path: PLATFORM, pathNot: TESTS },
      to: { path: '^server/src/', pathNot: [PLATFORM, '^server/src/config[.]ts$'] },
    },
    {
      name: 'composition-root-on-top',
      // Remedy: pass what is needed as an argument when app.ts registers the part.
      comment: 'Only the program itself imports the composition root.',
      severity: 'error',
      from: { path: [SURFACES, DIRECTORY, PLATFORM], pathNot: TESTS },
      to: { path: '^server/src/(app|main|run-process)[.]ts$' },
    },
    {
      name: 'tests-outside',
      // Remedy: what a program needs at run time belongs to src.
      comment: 'Shipped code never imports tests, benches or scripts.',
      severity: 'error',
      from: { path: '^server/src/', pathNot: TESTS },
      to: { path: ['^server/(test|bench)/', '^scripts/', TESTS] },
    },
    {
      name: 'declared-dependencies',
      // Remedy: add the package to "dependencies" in package.json.
      comment: 'The server runs on installed production dependencies alone.',
      severity: 'error',
      from: { path: '^server/src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      // Remedy: move what both need into a third file, or pass it as an argument. Types may go round.
      comment: 'Files that import each other can only be read together.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-missing',
      // Remedy: correct the path; imports carry their .ts ending.
      comment: 'Every import leads to a file.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
}
