import type { FastifyInstance } from 'fastify'

export interface Route {
  readonly method: string
  /** With parameters as `{name}`. */
  readonly path: string
}

/** The router's own table, asked of the router itself. */
export function routesOf(http: FastifyInstance): Route[] {
  const found = new Map<string, Route>()
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']
  for (const line of flatten(http.printRoutes({ commonPrefix: false }))) {
    for (const method of line.methods) {
      if (!methods.includes(method)) continue
      const path = line.path.replace(/:(\w+)/g, '{$1}').replace(/(?<=.)\/$/, '')
      found.set(`${method} ${path}`, { method, path })
    }
  }
  return [...found.values()]
}

/** `printRoutes` draws a tree: each line is a part of a path behind its indentation. */
function flatten(tree: string): { path: string; methods: string[] }[] {
  const parts: string[] = []
  return tree.split('\n').flatMap((line) => {
    const match = /^((?:[│ ] {3})*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line)
    if (match === null) return []
    const [, indent = '', part = '', methods] = match
    parts.length = indent.length / 4
    parts.push(part)
    return methods === undefined ? [] : [{ path: parts.join(''), methods: methods.split(', ') }]
  })
}
