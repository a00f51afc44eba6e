// Cuts a published API description down to the requests that offhours makes, so that Prism starts in a second:
//   node describe.js DESCRIPTION REQUESTS BASE OUT      REQUESTS: `METHOD path` lines; BASE: put before each path
'use strict'
const fs = require('fs')
const [from, list, base, to] = process.argv.slice(2)
const whole = JSON.parse(fs.readFileSync(from, 'utf8'))
const wanted = fs.readFileSync(list, 'utf8').split('\n').map((l) => l.trim()).filter((l) => l && !l.startsWith('#'))
const paths = {}
for (const line of wanted) {
  const [method, path] = line.split(' ')
  const whole_path = whole.paths[path]
  const operation = whole_path && whole_path[method.toLowerCase()]
  if (!operation) throw new Error(`${from} has no ${line}`)
  const kept = (paths[base + path] ??= whole_path.parameters ? { parameters: whole_path.parameters } : {})
  kept[method.toLowerCase()] = operation
}
const kept = { ...whole, paths }
delete kept['x-webhooks']
if (kept.swagger) kept.basePath = '/'
// A thing that may be null without a type of its own is what Prism cannot read: it would check nothing there, silently.
const nothing = { type: 'string', nullable: true, enum: ['only null'] }
const nullable = ({ nullable: _, ...node }) => {
  if (node.oneOf) return { ...node, oneOf: [...node.oneOf, nothing] }
  if (node.anyOf) return { ...node, anyOf: [...node.anyOf, nothing] }
  if (node.allOf) return { anyOf: [{ allOf: node.allOf }, nothing] }
  return node.properties ? { ...node, type: 'object', nullable: true } : node
}
const strip = (node) => {
  if (Array.isArray(node)) return node.map(strip)
  if (node === null || typeof node !== 'object') return node
  const out = {}
  for (const [key, value] of Object.entries(node)) {
    // Nothing is checked against examples.
    if (key === 'examples' && !Array.isArray(value)) continue
    out[key] = strip(value)
  }
  return out.nullable === true && !out.type ? nullable(out) : out
}
const refs = (node, found) => {
  if (node === null || typeof node !== 'object') return
  if (typeof node.$ref === 'string') found.push(node.$ref)
  for (const value of Object.values(node)) refs(value, found)
}
const slim = strip(kept)
// What nothing that is kept refers to is left out.
const used = new Set()
const open = []
refs(slim.paths, open)
const at = (ref) => ref.slice(2).split('/').map((p) => p.replace(/~1/g, '/').replace(/~0/g, '~'))
while (open.length) {
  const ref = open.pop()
  if (used.has(ref)) continue
  used.add(ref)
  refs(at(ref).reduce((node, part) => node && node[part], slim), open)
}
const keep = (group, prefix) => {
  for (const name of Object.keys(group ?? {})) {
    if (!used.has(prefix + name.replace(/~/g, '~0').replace(/\//g, '~1'))) delete group[name]
  }
}
for (const kind of Object.keys(slim.components ?? {})) {
  if (kind !== 'securitySchemes') keep(slim.components[kind], `#/components/${kind}/`)
}
keep(slim.definitions, '#/definitions/')
keep(slim.responses, '#/responses/')
fs.writeFileSync(to, JSON.stringify(slim))
