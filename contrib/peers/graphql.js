// Checks queries, their variables and the answers to them against GitHub's own schema:
//   node graphql.js FOLDER < EXCHANGES      FOLDER: where node_modules is; EXCHANGES: [{ query, variables, data }]
// Prints what does not fit, as a JSON list of sentences.
'use strict'
const fs = require('fs')
const path = require('path')
const modules = path.resolve(process.argv[2], 'node_modules')
const { buildSchema, executeSync, parse, validate } = require(path.join(modules, 'graphql'))
const text = fs.readFileSync(path.join(modules, '@octokit/graphql-schema/schema.graphql'), 'utf8')
const schema = buildSchema(text, { assumeValid: true })

// An answer fits where the query gives the same again, executed on nothing but that answer.
const own = (source, _arguments, _context, info) => {
  if (source === null || !(info.path.key in source)) throw new Error(`the answer has no ${info.path.key}`)
  return source[info.path.key]
}
const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
    : value === null || typeof value !== 'object' ? value
      : Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
const flaws = []
for (const { query, variables, data } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  const document = parse(query)
  const wrong = validate(schema, document).map((e) => `query: ${e.message}`)
  if (wrong.length === 0 && data) {
    const result = executeSync({
      schema, document, variableValues: variables, rootValue: data, fieldResolver: own,
      typeResolver: (value) => value.__typename,
    })
    wrong.push(...(result.errors ?? []).map((e) => `${(e.path ?? ['variables']).join('.')}: ${e.message}`))
    if (wrong.length === 0 && JSON.stringify(sorted(result.data)) !== JSON.stringify(sorted(data))) {
      wrong.push('the answer has more than was asked for')
    }
  }
  for (const flaw of wrong) if (!flaws.includes(flaw)) flaws.push(flaw)
}
console.log(JSON.stringify(flaws))
