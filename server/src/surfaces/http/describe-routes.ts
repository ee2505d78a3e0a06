import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { z } from 'zod'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body of a route that reads it itself. */
    documentedBody?: z.ZodType
  }
}

const LOGO = {
  type: 'image/svg+xml',
  content: Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="40"><text x="0" y="29" font-size="26" ' +
      'font-family="sans-serif" font-weight="700" fill="#fff">Rollcall</text></svg>',
  ),
  href: '/docs',
}

interface Document {
  components?: { schemas?: Record<string, unknown> }
}

/** Makes the server describe its routes (OpenAPI 3.1) and show them at `/docs`. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall',
        version: '1',
        description:
          'One organization directory, in its own API and in the dialects that integrators already speak.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    transform: (input) => {
      const body = input.route.config?.documentedBody
      const schema = body === undefined ? input.schema : { ...input.schema, body }
      return jsonSchemaTransform({ ...input, schema } as never) as never
    },
    transformObject: (input) => withoutUnused(jsonSchemaTransformObject(input) as Document) as never,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', theme: { title: 'Rollcall API' }, logo: LOGO })
}

/** Describes what a surface answers when it refuses: the same body for every route of the scope. */
export function describeRefusals(app: FastifyInstance, refusal: z.ZodType): void {
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || route.schema.hide === true) return
    route.schema = {
      ...route.schema,
      response: { ...(route.schema.response as Record<string, z.ZodType>), default: refusal },
    }
  })
}

/** Leaves out the component schemas that nothing refers to: zod gives each one a twin for input. */
function withoutUnused(document: Document): Document {
  const schemas = document.components?.schemas
  if (schemas === undefined) return document
  const text = JSON.stringify(document)
  for (const name of Object.keys(schemas)) {
    if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
  }
  return document
}
